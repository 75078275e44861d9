using System.Globalization;
using System.Text.RegularExpressions;

namespace Deliberate.Policies;

/// <summary>A clause on its way into a policy.</summary>
/// <param name="Action">What it demands.</param>
/// <param name="Text">Its text.</param>
/// <param name="Examples">Requests that it covers.</param>
/// <param name="Source">Where it was taken from.</param>
/// <param name="Line">The line it was taken from.</param>
/// <param name="Number">The number its code should have, as digits, or null for the next.</param>
internal sealed record DraftClause(PolicyAction Action, string Text, IReadOnlyList<string> Examples, string Source, int Line, string? Number = null);

/// <summary>A category on its way into a policy.</summary>
/// <param name="Name">What its id is made of.</param>
/// <param name="Title">Its title.</param>
/// <param name="Letters">The letters that its codes should begin with.</param>
internal sealed record DraftCategory(string Name, string Title, string Letters)
{
    public string Summary { get; set; } = "";

    public List<(string Name, string Meaning)> Terms { get; } = [];

    public List<DraftClause> Clauses { get; } = [];
}

/// <summary>
/// A policy in the making: takes text of any kind and writes files that load. What the format cannot say is told to the ledger. Not thread-safe.
/// </summary>
internal sealed partial class ImportDraft(ImportLedger ledger)
{
    private readonly HashSet<string> _codes = [];
    private readonly HashSet<string> _letters = [];
    private readonly HashSet<string> _ids = ["policy", "readme"];

    public string Title { get; set; } = "";

    public List<string> Introduction { get; } = [];

    public List<string> Principles { get; } = [];

    public List<string> RefusalStyle { get; } = [];

    public List<string> Precedence { get; } = [];

    public List<DraftCategory> Categories { get; } = [];

    /// <summary>Rewrites texts that cite clauses by the codes of the source, once the clauses have their own.</summary>
    public Func<string, IReadOnlyDictionary<string, string>, string> Recode { get; init; } = (text, _) => text;

    /// <summary>The policy's files by name.</summary>
    public Dictionary<string, string> Files()
    {
        var categories = Categories.Select(category => (Category: category, Letters: Letters(category.Letters))).ToArray();
        var codes = new Dictionary<string, string>();
        var coded = categories.Select(entry => (entry.Category, Clauses: entry.Category.Clauses.Select(clause => Coded(entry.Letters, clause, codes)).OfType<Clause>().ToArray())).Where(entry => entry.Clauses.Length > 0).ToArray();
        string Told(string text) => Recode(text, codes);
        var parts = new PolicyParts(
            Heading(Title, "Policy"), string.Join("\n\n", Paragraphs(Introduction.Select(Told))), [.. Lines(Principles.Select(Told))],
            new("", string.Join("\n\n", Paragraphs(RefusalStyle.Select(Told)))), new("", ""), string.Join('\n', Lines(Precedence.Select(Told)).Select(text => "- " + text)), []);
        return new(PolicyMarkdown.Files(parts with
        {
            Categories = [.. coded.Select(entry =>
            {
                var (category, id) = (entry.Category, Id(entry.Category.Name));
                var terms = category.Terms.Select(term => new Term(Line(Told(term.Name)).Replace("*", "", StringComparison.Ordinal).Replace(':', ' ').Trim(), Line(Told(term.Meaning)), 0)).Where(term => term.Name.Length > 0 && term.Meaning.Length > 0);
                return new Category(id, Heading(category.Title, id), string.Join(' ', Paragraphs([Told(category.Summary)])), [.. terms], entry.Clauses, id + ".md");
            })],
        }));
    }

    /// <summary>Text in one line with single spaces.</summary>
    public static string Line(string text) => Spaces().Replace(text, " ").Trim();

    /// <summary>"AIH" of "avoid_info_hazards": up to four first letters.</summary>
    public static string Initials(string name)
    {
        var letters = string.Concat(NotLetters().Split(name.ToUpperInvariant()).Where(word => word.Length > 0).Select(word => word[0]));
        return letters.Length == 0 ? "C" : letters.Length <= 4 ? letters : letters[..4];
    }

    // A heading as it is read: without the marks that Markdown allows at its end.
    private static string Heading(string text, string otherwise) =>
        MarkdownBlocks.Read($"# {Line(text)}", (_, _) => { }) is [{ Kind: BlockKind.Heading, Text: { Length: > 0 } title }] ? title : otherwise;

    private Clause? Coded(string letters, DraftClause draft, Dictionary<string, string> codes)
    {
        var text = Line(draft.Text);
        if (ClauseText.Read(text).Problem is not null) text = Exceptional().Replace(text, match => match.Value.ToLowerInvariant());
        if (text.Length == 0 || ClauseText.Read(text).Problem is { })
        {
            ledger.Unmapped(draft.Line, draft.Line, text.Length == 0 ? "it says nothing" : $"as a clause, it would be read wrongly ({ClauseText.Read(text).Problem})");
            return null;
        }

        var code = draft.Number is { Length: > 0 and <= 3 } number && _codes.Add(letters + number) ? letters + number : Next(letters);
        codes.TryAdd(draft.Source[(draft.Source.IndexOf('#', StringComparison.Ordinal) + 1)..], code);
        return new(code, draft.Action, "", text, null, "", 0) { Examples = [.. Lines(draft.Examples)], Source = Line(draft.Source) };
    }

    private string Next(string letters)
    {
        for (var number = 1; number <= 999; number++)
        {
            var code = string.Create(CultureInfo.InvariantCulture, $"{letters}{number}");
            if (_codes.Add(code)) return code;
        }

        return Next(Letters(letters));
    }

    // Letters that no other category has.
    private string Letters(string wanted)
    {
        if (_letters.Add(wanted)) return wanted;
        for (var at = 0; ; at++)
        {
            var (stem, tail) = (wanted[..Math.Min(wanted.Length, at < 26 ? 3 : 2)], at < 26 ? $"{(char)('A' + at)}" : $"{(char)('A' + (at / 26 - 1) % 26)}{(char)('A' + at % 26)}");
            var letters = (stem + tail)[..Math.Min(4, stem.Length + tail.Length)];
            if (at >= 702) throw new PolicyException(ledger.File, 0, "has too many sections for codes of four letters; import part of it");
            if (_letters.Add(letters)) return letters;
        }
    }

    private string Id(string name)
    {
        var id = NotId().Replace(name.ToLowerInvariant(), "-").Trim('-');
        id = id.Length == 0 ? "category" : id.Length > 60 ? id[..60].TrimEnd('-') : id;
        var free = id;
        for (var number = 2; !_ids.Add(free); number++) free = string.Create(CultureInfo.InvariantCulture, $"{id}-{number}");
        return free;
    }

    private static IEnumerable<string> Lines(IEnumerable<string> texts) => texts.Select(Line).Where(text => text.AsSpan().ContainsAnyExcept(MarkdownBlocks.Marks));

    // Paragraphs that are read as paragraphs: no headings, lists or comments.
    private static IEnumerable<string> Paragraphs(IEnumerable<string> texts)
    {
        foreach (var text in texts.Select(Line))
        {
            var rest = text;
            while (rest.Length > 0 && MarkdownBlocks.Read(rest, (_, _) => { }) is not [{ Kind: BlockKind.Paragraph }]) rest = rest[1..].TrimStart();
            if (rest.Length > 0) yield return rest;
        }
    }

    [GeneratedRegex(@"[\s\p{Cc}\p{Cf}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Spaces();

    [GeneratedRegex("[^A-Z]+", RegexOptions.CultureInvariant)]
    private static partial Regex NotLetters();

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex NotId();

    [GeneratedRegex(@"\b(?:Unless|Except)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Exceptional();
}
