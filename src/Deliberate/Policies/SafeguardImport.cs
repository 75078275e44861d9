using System.Text.RegularExpressions;

namespace Deliberate.Policies;

/// <summary>
/// Reads a policy for gpt-oss-safeguard: a goal, definitions, sections of content that is allowed or violates, each with items ("SP2.a Cold promotion –
/// “an example”"), and what to do in doubt. It becomes one category. Labels and output formats are a judge's business and are listed as not imported.
/// Codes keep the level and the letter of their anchors as numbers: SP2.a becomes SP21, and the description of SP2 becomes SP20.
/// </summary>
internal sealed partial class SafeguardImport(ImportLedger ledger)
{
    private enum Kind
    {
        Goal,
        Terms,
        Clauses,
        Precedence,
        Labels,
        Unknown,
    }

    private readonly string _file = Path.GetFileName(ledger.File);
    private readonly ImportDraft _draft = new(ledger) { Recode = Recoded };

    /// <summary>Reads all.</summary>
    public ImportDraft Read()
    {
        var sections = Sections();
        var title = sections[0].Name;
        var letters = TitleCode().Match(title) is { Success: true } match ? match.Groups["code"].Value
            : sections.Select(section => Anchor().Match(section.Code)).FirstOrDefault(code => code.Success)?.Groups["letters"].Value ?? "";
        var name = NotName().Replace(TitleCode().Replace(title, ""), "").Trim();
        var category = new DraftCategory(name.Length > 0 ? name : Path.GetFileNameWithoutExtension(_file), name.Length > 0 ? name : title,
            letters.Length is > 0 and <= 4 ? letters : ImportDraft.Initials(name));
        _draft.Title = title;
        _draft.Categories.Add(category);
        var goal = new List<string>();
        foreach (var section in sections) Read(section, category, goal);
        category.Summary = string.Join(' ', goal);
        return _draft;
    }

    private void Read(Section section, DraftCategory category, List<string> goal)
    {
        ledger.Take(section.Line, section.Line);
        switch (section.Kind)
        {
            case Kind.Goal: goal.AddRange(Taken(section).Select(line => Unbulleted(line.Text))); break;
            case Kind.Precedence: _draft.Precedence.AddRange(Taken(section).Select(line => Unbulleted(line.Text))); break;
            case Kind.Terms:
                foreach (var (line, text) in section.Body.Select(line => (line.Line, Unbulleted(line.Text))))
                {
                    if (Term().Match(text) is { Success: true } term) category.Terms.Add((term.Groups["name"].Value, term.Groups["meaning"].Value));
                    else if (category.Terms.Count > 0) category.Terms[^1] = category.Terms[^1] with { Meaning = $"{category.Terms[^1].Meaning} {text}" };
                    else continue;
                    ledger.Take(line, line);
                }

                break;
            case Kind.Clauses: ReadClauses(section, category); break;
            case Kind.Labels: Unmapped(section, "labels and examples of them tell a judge what to write, not what is allowed"); break;
            default: Unmapped(section, "an unknown section; known are goal, definitions, allowed or safe, violates, and ambiguity"); break;
        }
    }

    private void ReadClauses(Section section, DraftCategory category)
    {
        var action = Action(section);
        var description = new List<string>();
        var clauses = new List<DraftClause>();
        var digits = Anchor().Match(section.Code).Groups["number"].Value;
        foreach (var (line, text) in section.Body)
        {
            ledger.Take(line, line);
            if (Output().Match(text) is { Success: true } output)
            {
                if (!PlainOutput().IsMatch(output.Groups["value"].Value)) ledger.Unmapped(line, line, "an output that says more than whether it is allowed");
            }
            else if (Item().Match(text) is { Success: true } item)
            {
                var letter = item.Groups["letter"].Value;
                clauses.Add(Clause(action, item.Groups["rest"].Value, $"{_file}#{item.Groups["anchor"].Value}", line, letter.Length == 1 && letter[0] is >= 'a' and <= 'z' ? $"{item.Groups["number"].Value}{letter[0] - 'a' + 1}" : null));
            }
            else if (Bullet().IsMatch(text) && section.Code.Length == 0) clauses.Add(Clause(action, Unbulleted(text), $"{_file}#{section.Name} {clauses.Count + 1}", line, null));
            else if (!ExamplesLine().IsMatch(text)) description.Add(Unbulleted(text));
        }

        // What the section says of itself comes first.
        if (description.Count > 0)
            category.Clauses.Add(new(action, $"{section.Name}: {string.Join(' ', description)}", [], $"{_file}#{(section.Code.Length > 0 ? section.Code : section.Name)}", section.Line, digits.Length > 0 ? digits + "0" : null));
        category.Clauses.AddRange(clauses);
    }

    private static DraftClause Clause(PolicyAction action, string text, string source, int line, string? number)
    {
        var match = Quoting().Match(text);
        if (!match.Success) return new(action, text, [], source, line, number);
        var examples = Quoted().Matches(match.Groups["quoted"].Value).Select(quote => quote.Groups["text"].Value).ToArray();
        // Words between the quotes belong to the rule.
        var between = Quoted().Replace(match.Groups["quoted"].Value, " ");
        var loose = Words().Matches(between).Any(word => word.Value is not ("or" or "and"));
        return new(action, loose ? text : match.Groups["name"].Value.TrimEnd(' ', '-', '–', '—', ':'), examples, source, line, number);
    }

    // The output that the section asks for, or else its name.
    private static PolicyAction Action(Section section)
    {
        foreach (var (_, text) in section.Body)
            if (Output().Match(text) is { Success: true } output && PolicyWords().Match(output.Groups["value"].Value) is { Success: true } word) return Allows(word.Value) ? PolicyAction.Comply : PolicyAction.Refuse;
        return PolicyWords().Match(section.Name) is { Success: true } named ? Allows(named.Value) ? PolicyAction.Comply : PolicyAction.Refuse
            : Anchor().Match(section.Code).Groups["number"].Value == "0" ? PolicyAction.Comply : PolicyAction.Refuse;
    }

    private static bool Allows(string word) => word.ToUpperInvariant() is "VALID" or "SAFE" or "ALLOWED" or "PERMITTED" or "0";

    private List<Section> Sections()
    {
        var lines = ledger.Lines;
        var sections = new List<Section>();
        for (var i = 0; i < lines.Count; i++)
        {
            var text = lines[i].Trim();
            if (text.Length == 0) continue;
            if (sections.Count == 0)
            {
                // The first line is the title, and what follows it the goal until a heading comes.
                sections.Add(new(MarkdownHeading().Match(text) is { Success: true } first ? first.Groups["name"].Value : text, "", i + 1, Kind.Goal, []));
                continue;
            }

            // "Examples:" stands over the items of a section as well as over a section of its own.
            if (Heading(text) is var (name, code, inline) && !(sections[^1].Code.Length > 0 && ExamplesLine().IsMatch(text)))
            {
                sections.Add(new(name, code, i + 1, KindOf(name, code), []));
                if (inline.Length > 0) sections[^1].Body.Add((i + 1, inline));
            }
            else sections[^1].Body.Add((i + 1, text));
        }

        if (sections.Count == 0) sections.Add(new("", "", 1, Kind.Goal, []));
        return sections;
    }

    private static (string Name, string Code, string Inline)? Heading(string text)
    {
        var markdown = MarkdownHeading().Match(text);
        var words = markdown.Success ? markdown.Groups["name"].Value : text;
        if (CodedHeading().Match(words) is { Success: true } coded) return (coded.Groups["name"].Value.Trim(), coded.Groups["code"].Value, "");
        if (markdown.Success) return (words.TrimEnd(':'), "", "");
        if (KnownHeading().Match(text.Trim('*', ' ')) is { Success: true } known) return (known.Groups["name"].Value.Trim(), "", "");
        return CapitalHeading().Match(text) is { Success: true } capital && capital.Groups["name"].Value.Count(char.IsAsciiLetterUpper) >= 4 ? (capital.Groups["name"].Value.Trim(), "", capital.Groups["rest"].Value.Trim()) : null;
    }

    private static Kind KindOf(string name, string code) =>
        GoalName().IsMatch(name) ? Kind.Goal : TermsName().IsMatch(name) ? Kind.Terms : PrecedenceName().IsMatch(name) ? Kind.Precedence
        : LabelsName().IsMatch(name) ? Kind.Labels : code.Length > 0 || PolicyWords().IsMatch(name) ? Kind.Clauses : Kind.Unknown;

    // "SP2.a" and "SP2" where a rule speaks of them.
    private static string Recoded(string text, IReadOnlyDictionary<string, string> codes) =>
        AnchorInText().Replace(text, match => codes.TryGetValue(match.Value, out var code) ? code : codes.FirstOrDefault(entry => entry.Key.StartsWith(match.Value + ".", StringComparison.Ordinal)).Value ?? match.Value);

    private IEnumerable<(int Line, string Text)> Taken(Section section)
    {
        foreach (var line in section.Body)
        {
            ledger.Take(line.Line, line.Line);
            yield return line;
        }
    }

    private void Unmapped(Section section, string why) => ledger.Unmapped(section.Line, section.Body.Count > 0 ? section.Body[^1].Line : section.Line, why);

    private static string Unbulleted(string text) => Bullet().Replace(text, "", 1).Trim();

    private sealed record Section(string Name, string Code, int Line, Kind Kind, List<(int Line, string Text)> Body);

    [GeneratedRegex(@"^#{1,6}\s+(?<name>.+?)\s*#*$", RegexOptions.CultureInvariant)]
    private static partial Regex MarkdownHeading();

    [GeneratedRegex(@"\(#(?<code>[A-Z]{1,5})\)", RegexOptions.CultureInvariant)]
    private static partial Regex TitleCode();

    [GeneratedRegex(@"\bpolicy\b|^\P{L}+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NotName();

    [GeneratedRegex(@"^(?<letters>[A-Z]{1,5})(?<number>\d{1,2})$", RegexOptions.CultureInvariant)]
    private static partial Regex Anchor();

    [GeneratedRegex(@"\b[A-Z]{1,5}\d{1,2}(?:\.[a-z])?\b", RegexOptions.CultureInvariant)]
    private static partial Regex AnchorInText();

    [GeneratedRegex(@"^[^\p{L}(]*(?<name>\p{L}[^()]{0,120}?)\s*\((?<code>[A-Z]{1,5}\d{1,2})\b[^()]*\)$", RegexOptions.CultureInvariant)]
    private static partial Regex CodedHeading();

    [GeneratedRegex(@"^(?<name>(?:instructions?|goal|objective|definitions?|terms|violates|violations?|disallowed|prohibited|safe|allowed|permitted|examples|label format|output format|ambiguity[\w &]{0,30}))\s*(?:\([01]\))?\s*:?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex KnownHeading();

    [GeneratedRegex(@"^[^\p{L}\d|]{0,8}(?<name>[A-Z][A-Z &/,-]{3,60}?)\s*(?::\s*(?<rest>.*))?$", RegexOptions.CultureInvariant)]
    private static partial Regex CapitalHeading();

    [GeneratedRegex(@"^(?:goal|objective|purpose|instructions?|role|task)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex GoalName();

    [GeneratedRegex(@"^(?:definitions?|terms|key terms)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex TermsName();

    [GeneratedRegex(@"^(?:ambiguity|escalation|precedence|priority|edge cases|conflicts?)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PrecedenceName();

    [GeneratedRegex(@"^(?:labels?|output|response format|answer|examples?|few[- ]shot)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex LabelsName();

    [GeneratedRegex(@"\b(?:INVALID|VALID|VIOLAT\w+|SAFE|DISALLOWED|NOT ALLOWED|ALLOWED|PROHIBITED|PERMITTED)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PolicyWords();

    [GeneratedRegex(@"^\P{L}{0,8}output\s*:\s*(?<value>.*)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Output();

    [GeneratedRegex(@"^\W*(?:IN)?VALID\W*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PlainOutput();

    [GeneratedRegex(@"^(?:[-*•+]\s+)?(?:\*\*|`|\[)?(?<anchor>[A-Z]{1,5}(?<number>\d{1,2})\.(?<letter>[a-z0-9]{1,2}))(?:\*\*|`|\])?[.:)]?\s+(?<rest>.+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Item();

    [GeneratedRegex(@"^(?:[-*•+]|\d{1,3}[.)])\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Bullet();

    [GeneratedRegex(@"^\**examples?\**\s*:?\**$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ExamplesLine();

    [GeneratedRegex(@"^(?<name>[^“""”:]{1,80}?)\s*:\s*(?<meaning>\S.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex Term();

    [GeneratedRegex(@"^(?<name>[^“""]*?[\p{L}\p{N})'’][^“""]*?)\s*[–—:-]\s*(?<quoted>[“""].*)$", RegexOptions.CultureInvariant)]
    private static partial Regex Quoting();

    [GeneratedRegex(@"“(?<text>[^”]+)”|""(?<text>[^""]+)""", RegexOptions.CultureInvariant)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\p{L}+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}
