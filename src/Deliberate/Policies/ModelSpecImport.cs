using System.Text.RegularExpressions;

namespace Deliberate.Policies;

/// <summary>
/// Reads the OpenAI Model Spec: each section with an anchor becomes a category, each sentence or list item that says what must, should or may be done a
/// clause, with the anchor and the level of authority as its source. Sentences that follow explain the clause before them. Red lines and general
/// principles become principles, the levels of authority the precedence, and the section on refusals the refusal style. Commentary and examples are
/// listed as not imported.
/// </summary>
internal sealed partial class ModelSpecImport(ImportLedger ledger, IReadOnlyList<string> under)
{
    private enum PartKind
    {
        Paragraph,
        Item,
        Continuation,
    }

    // Chapters that explain and rule nothing.
    private static readonly string[] Explanations = ["overview", "definitions"];

    private readonly string _file = Path.GetFileName(ledger.File);
    private readonly ImportDraft _draft = new(ledger);
    private readonly Dictionary<string, string> _titles = new(StringComparer.Ordinal);

    /// <summary>Reads all.</summary>
    public ImportDraft Read()
    {
        var sections = Sections();
        foreach (var section in sections) _titles.TryAdd(section.Anchor, section.Title);
        foreach (var anchor in under)
            if (!_titles.ContainsKey(anchor)) throw new PolicyException(ledger.File, 0, $"has no section '{anchor}'; known are {string.Join(", ", sections.Where(section => section.Anchor.Length > 0).Select(section => section.Anchor).Take(12))}…");
        _draft.Title = under.Count == 0 ? Path.GetFileNameWithoutExtension(_file).Replace('_', ' ') : string.Join(", ", under.Select(anchor => _titles[anchor]));
        foreach (var section in sections) Read(section);
        return _draft;
    }

    private void Read(Section section)
    {
        if (section.Line > 0) ledger.Take(section.Line, section.Line);
        switch (section.Anchor)
        {
            case "red_line_principles" or "general_principles": Take(section, _draft.Principles, part => part.Kind == PartKind.Item); return;
            case "levels_of_authority":
                _draft.Precedence.Add("Each category's rules have a level of authority; where two apply, the higher level wins, in this order");
                Take(section, _draft.Precedence, part => part.Kind == PartKind.Item);
                return;
            case "refusal_style": Take(section, _draft.RefusalStyle, part => part.Kind != PartKind.Continuation); return;
        }

        if (section.Path.Any(Explanations.Contains)) Leave(section, section.Parts, "it explains and rules nothing");
        else if (under.Count > 0 && !section.Path.Any(under.Contains)) Leave(section, section.Parts, "it is not under the anchors asked for");
        else if (section.Anchor.Length == 0) Leave(section, section.Parts, "the section has no anchor");
        else ReadCategory(section);
    }

    private void ReadCategory(Section section)
    {
        var category = new DraftCategory(section.Anchor.Replace('_', '-'), Clean(section.Title), ImportDraft.Initials(section.Anchor));
        var source = $"{_file}#{section.Anchor}{(section.Authority.Length > 0 ? $", authority {section.Authority}" : "")}";
        DraftClause? open = null;
        foreach (var part in section.Parts)
        {
            var sentences = part.Kind == PartKind.Item ? [Clean(part.Text)] : Sentence().Split(Clean(part.Text));
            foreach (var sentence in sentences.Where(sentence => sentence.Length > 0))
            {
                if (category.Summary.Length == 0 && part.Kind == PartKind.Paragraph) category.Summary = sentence;
                if (Action(sentence) is { } action)
                {
                    Close();
                    // A lead names what the clause is about, and "However" is about nothing.
                    open = new(action, Connective().Replace(sentence, match => match.Groups["first"].Value.ToUpperInvariant()), [], source, part.First);
                }
                else if (open is not null) open = open with { Text = $"{open.Text} {sentence}" };
                else if (category.Summary != sentence) category.Summary = $"{category.Summary} {sentence}".Trim();
            }

            ledger.Take(part.First, part.Last);
        }

        Close();
        // The precedence speaks of it.
        if (section.Authority.Length > 0) category.Summary = $"{category.Summary} Authority: {section.Authority}.".Trim();
        if (category.Clauses.Count > 0) _draft.Categories.Add(category);
        else Leave(section, section.Parts, "no sentence of the section says what must, should or may be done");

        void Close()
        {
            if (open is not null) category.Clauses.Add(open);
            open = null;
        }
    }

    private static PolicyAction? Action(string sentence)
    {
        if (Safe().IsMatch(sentence) && !Never().IsMatch(sentence)) return PolicyAction.SafeComplete;
        return Never().IsMatch(sentence) || Refuse().IsMatch(sentence) ? PolicyAction.Refuse : Comply().IsMatch(sentence) ? PolicyAction.Comply : null;
    }

    private void Take(Section section, List<string> into, Func<Part, bool> wanted)
    {
        foreach (var part in section.Parts.Where(wanted))
        {
            into.Add(Clean(part.Text));
            ledger.Take(part.First, part.Last);
        }

        Leave(section, [.. section.Parts.Where(part => !wanted(part))], "it explains and rules nothing");
    }

    private void Leave(Section section, IReadOnlyList<Part> parts, string why)
    {
        if (section.Line > 0 && parts.Count > 0 && parts.Count == section.Parts.Count) ledger.Unmapped(section.Line, section.Line, why);
        foreach (var part in parts) ledger.Unmapped(part.First, part.Last, why);
    }

    private string Clean(string text)
    {
        var plain = EmptyLink().Replace(text, match => $"“{_titles.GetValueOrDefault(match.Groups["anchor"].Value, match.Groups["anchor"].Value)}”");
        plain = Footnote().Replace(Link().Replace(plain, "${text}"), "");
        return ImportDraft.Line(plain.Replace(" --- ", " — ", StringComparison.Ordinal).Replace("**", "", StringComparison.Ordinal));
    }

    private List<Section> Sections()
    {
        var lines = ledger.Lines;
        var sections = new List<Section> { new("", "", "", 0, 0, [], []) };
        for (var i = 0; i < lines.Count; i++)
        {
            var (line, trimmed) = (lines[i], lines[i].Trim());
            if (trimmed.Length == 0) continue;
            var last = i;
            if (Fence(trimmed) is { } fence)
            {
                while (last + 1 < lines.Count && lines[++last].Trim() != fence) { }
                ledger.Unmapped(i + 1, last + 1, "examples show answers and are no rules");
            }
            else if (trimmed.StartsWith("!!!", StringComparison.Ordinal))
            {
                while (last + 1 < lines.Count && (lines[last + 1].Length == 0 || lines[last + 1].StartsWith("  ", StringComparison.Ordinal))) last++;
                while (lines[last].Trim().Length == 0) last--;
                ledger.Unmapped(i + 1, last + 1, "commentary is no part of the rules");
            }
            else if (ExampleTitle().IsMatch(trimmed)) ledger.Unmapped(i + 1, i + 1, "examples show answers and are no rules");
            else if (Heading().Match(trimmed) is { Success: true } heading) sections.Add(NewSection(heading, i + 1, sections));
            else
            {
                var item = Item().Match(trimmed);
                var kind = item.Success ? line[0] is ' ' or '\t' ? PartKind.Continuation : PartKind.Item : line[0] is ' ' or '\t' ? PartKind.Continuation : PartKind.Paragraph;
                while (last + 1 < lines.Count && lines[last + 1].Trim() is { Length: > 0 } next && !Item().IsMatch(next) && !Heading().IsMatch(next) && Fence(next) is null && !next.StartsWith("!!!", StringComparison.Ordinal)) last++;
                var text = string.Join(' ', Enumerable.Range(i, last - i + 1).Select(at => lines[at].Trim()));
                sections[^1].Parts.Add(new(kind, item.Success ? text[item.Length..] : text, i + 1, last + 1));
            }

            i = last;
        }

        return sections;
    }

    private static Section NewSection(Match heading, int line, List<Section> sections)
    {
        var (level, anchor) = (heading.Groups["marks"].Length, heading.Groups["anchor"].Value);
        var parent = sections.FindLast(section => section.Level < level);
        return new(heading.Groups["title"].Value, anchor, Authority().Match(heading.Groups["more"].Value).Groups["level"].Value, level, line, [.. parent?.Path ?? [], anchor], []);
    }

    private static string? Fence(string trimmed) => trimmed.StartsWith("~~~", StringComparison.Ordinal) ? "~~~" : trimmed.StartsWith("```", StringComparison.Ordinal) ? "```" : null;

    private sealed record Part(PartKind Kind, string Text, int First, int Last);

    private sealed record Section(string Title, string Anchor, string Authority, int Level, int Line, IReadOnlyList<string> Path, List<Part> Parts);

    [GeneratedRegex(@"^(?<marks>#{1,6})\s+(?<title>.*?)\s*(?:\{#(?<anchor>[\w-]+)(?<more>[^}]*)\})?$", RegexOptions.CultureInvariant)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\bauthority=(?<level>\w+)", RegexOptions.CultureInvariant)]
    private static partial Regex Authority();

    [GeneratedRegex(@"^(?:[-*+]|\d{1,3}[.)])\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Item();

    [GeneratedRegex(@"^\*\*Examples?\*\*\s*:", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ExampleTitle();

    [GeneratedRegex(@"\[\?\]\(#(?<anchor>[\w-]+)\)", RegexOptions.CultureInvariant)]
    private static partial Regex EmptyLink();

    [GeneratedRegex(@"\[(?<text>[^\]\[]+)\]\([^()\s]*\)", RegexOptions.CultureInvariant)]
    private static partial Regex Link();

    [GeneratedRegex(@"\[\^[\w-]+\]:?", RegexOptions.CultureInvariant)]
    private static partial Regex Footnote();

    [GeneratedRegex(@"(?<=[.!?]["")”’]?)(?<!\b(?:e\.g|i\.e|vs|[A-Z])\.) (?=[“""(]?\p{Lu})", RegexOptions.CultureInvariant)]
    private static partial Regex Sentence();

    [GeneratedRegex(@"\b(?:must|should|shall|may|can|could|would|will|do|does|is|are)(?: \w+)?[ -](?:not|never)\b|\bcannot\b|n['’]t\b|\bnever\b|\bprohibited\b|\bforbidden\b|\bdisallowed\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Never();

    [GeneratedRegex(@"\b(?:must|should|will) (?:\w+ )?(?:refuse|decline|avoid|refrain)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Refuse();

    [GeneratedRegex(@"^(?:However|For example|For instance|Instead|In addition|Additionally|Similarly|Likewise|In particular|Therefore|Thus|Conversely|Furthermore|Moreover), (?<first>\p{Ll})", RegexOptions.CultureInvariant)]
    private static partial Regex Connective();

    [GeneratedRegex(@"\binstead\b|\b(?:should|must|can|may) (?:\w+ ){0,2}(?:respond with|offer|suggest|encourage|acknowledge|redirect|warn|recommend|urge|provide (?:general|neutral|basic|safe\w*|necessary|helpful information))\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Safe();

    [GeneratedRegex(@"\b(?:must|should|may|can|is allowed|are allowed|is acceptable|are acceptable|is permitted|are permitted)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Comply();
}
