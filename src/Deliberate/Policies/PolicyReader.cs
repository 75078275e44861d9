using System.Text;
using System.Text.RegularExpressions;

namespace Deliberate.Policies;

/// <summary>
/// Reads a policy's files to the end whatever is wrong in them, and keeps every problem with its place, so that a check shows all of
/// them at once. Not thread-safe; one reader a policy.
/// </summary>
internal sealed partial class PolicyReader(string folder)
{
    // Far above any policy that fits a context.
    private const int LargestFile = 1 << 20;

    private readonly List<PolicyFinding> _problems = [];
    private readonly Dictionary<string, Clause> _codes = [];

    /// <summary>What was found wrong so far, in the order of the files and lines.</summary>
    public IReadOnlyList<PolicyFinding> Problems => _problems;

    /// <summary>Reads a folder.</summary>
    public static (Policy? Policy, IReadOnlyList<PolicyFinding> Problems) ReadFolder(string folder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        var reader = new PolicyReader(folder);
        if (!Directory.Exists(folder))
        {
            reader._problems.Add(new(PolicySeverity.Error, folder, 0, "there is no such folder; give the folder that holds policy.md and a file for each category"));
            return (null, reader._problems);
        }

        var files = new List<KeyValuePair<string, string>>();
        try
        {
            foreach (var path in Directory.EnumerateFiles(folder))
                if (IsPolicyFile(Path.GetFileName(path)) && reader.Text(path) is { } text) files.Add(new(Path.GetFileName(path), text));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            reader._problems.Add(new(PolicySeverity.Error, folder, 0, $"cannot be listed ({exception.Message})"));
        }

        return (reader.Read(files), reader._problems);
    }

    /// <summary>Reads files that are in memory, by their names.</summary>
    public static (Policy? Policy, IReadOnlyList<PolicyFinding> Problems) ReadFiles(IEnumerable<KeyValuePair<string, string>> files, string folder)
    {
        var reader = new PolicyReader(folder);
        return (reader.Read([.. files.Where(file => IsPolicyFile(file.Key))]), reader._problems);
    }

    private static bool IsPolicyFile(string name) =>
        name.EndsWith(".md", StringComparison.OrdinalIgnoreCase) && name[0] != '.' && !name.Equals("README.md", StringComparison.OrdinalIgnoreCase);

    private Policy? Read(List<KeyValuePair<string, string>> files)
    {
        var main = files.FindIndex(file => file.Key == "policy.md");
        if (main < 0)
        {
            // A policy.md that could not be read has said so already.
            if (_problems.All(problem => Path.GetFileName(problem.File) != "policy.md"))
                _problems.Insert(0, new(PolicySeverity.Error, folder, 0, "there is no policy.md in the folder; write one with a '# Title' and '## Principles'"));
            return null;
        }

        var parts = ReadMain(files[main].Value);
        var categories = files.Where((_, index) => index != main).OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => ReadCategory(file.Key, file.Value)).ToList();
        if (categories.Count == 0) Problem("", 0, "the policy has no category; write one as a Markdown file beside policy.md");
        return parts with { Categories = categories } is var whole ? new(folder, whole) : null;
    }

    private PolicyParts ReadMain(string text)
    {
        const string File = "policy.md";
        var (title, sections) = Sections(File, text);
        var parts = new PolicyParts(title, "", [], new("", ""), new("", ""), "", []);
        foreach (var section in Once(File, sections))
        {
            var (kind, name) = section.Name.Split(':', 2, StringSplitOptions.TrimEntries) is [var head, var tail] ? (Plain(head), tail) : (Plain(section.Name), "");
            switch (kind)
            {
                case "": parts = parts with { Introduction = PolicyMarkdown.Text(section.Blocks) }; break;
                case "principles": parts = parts with { Principles = [.. ReadPrinciples(File, section)] }; break;
                case "refusal style": parts = parts with { Refusal = new(name, PolicyMarkdown.Text(section.Blocks)) }; break;
                case "safe completion style": parts = parts with { SafeCompletion = new(name, PolicyMarkdown.Text(section.Blocks)) }; break;
                case "precedence": parts = parts with { Precedence = PolicyMarkdown.Text(section.Blocks) }; break;
                default:
                    Problem(File, section.Line, $"unknown section '{section.Name}'; known are Principles, Refusal style, Safe-completion style and Precedence");
                    break;
            }
        }

        return parts;
    }

    private Category ReadCategory(string file, string text)
    {
        var (title, sections) = Sections(file, text);
        var summary = "";
        var terms = new List<Term>();
        var clauses = new List<Clause>();
        foreach (var section in Once(file, sections))
            switch (Plain(section.Name.TrimEnd(':')))
            {
                case "": summary = ReadSummary(file, section); break;
                case "terms" or "definitions": terms.AddRange(section.Blocks.Select(block => ReadTerm(file, block)).OfType<Term>()); break;
                case "allowed": ReadClauses(file, section, PolicyAction.Comply, clauses); break;
                case "disallowed" or "not allowed": ReadClauses(file, section, PolicyAction.Refuse, clauses); break;
                case "safe completion" or "safe completions": ReadClauses(file, section, PolicyAction.SafeComplete, clauses); break;
                default:
                    Problem(file, section.Line, $"unknown section '{section.Name}'; known are Terms, Allowed, Disallowed and Safe completion");
                    break;
            }

        if (clauses.Count == 0) Problem(file, 1, "the category has no clause; write one under Allowed, Disallowed or Safe completion, or take the file away");
        return new(Path.GetFileNameWithoutExtension(file), title, summary, terms, clauses, file);
    }

    private IEnumerable<string> ReadPrinciples(string file, Section section)
    {
        foreach (var block in section.Blocks)
            if (block.Kind == BlockKind.Heading) Problem(file, block.Line, $"a heading '{Short(block.Text)}' among the principles; write each principle as '- text'");
            else if (block.Text.AsSpan().ContainsAnyExcept(MarkdownBlocks.Marks)) yield return block.Text;
    }

    private string ReadSummary(string file, Section section)
    {
        foreach (var block in section.Blocks.Where(block => block.Kind != BlockKind.Paragraph))
            Problem(file, block.Line, $"'{Short(block.Text)}' stands in the summary, which is running text; write clauses under '## Allowed', '## Disallowed' or '## Safe completion'");
        return string.Join(' ', section.Blocks.Where(block => block.Kind == BlockKind.Paragraph).Select(block => block.Text));
    }

    private Term? ReadTerm(string file, Block block)
    {
        var match = block.Kind == BlockKind.Bullet ? TermPattern().Match(block.Text) : Match.Empty;
        var name = match.Groups["name"].Value.Replace("*", "", StringComparison.Ordinal).Trim(' ', ':');
        var meaning = match.Groups["meaning"].Value;
        if (name.Length > 0 && meaning.Length > 0) return new(name, meaning, block.Line);
        Problem(file, block.Line, "this is no term; write '- **Term**: what it means'");
        return null;
    }

    private void ReadClauses(string file, Section section, PolicyAction action, List<Clause> clauses)
    {
        foreach (var group in Groups(section.Blocks))
        {
            var block = group[0];
            if (block.Kind != BlockKind.Bullet)
            {
                Problem(file, block.Line, $"'{Short(block.Text)}' under '{section.Name}' is no clause; write clauses as '- **A1** Subject: explanation.', with notes in the summary or in comments");
                continue;
            }

            var match = ClausePattern().Match(block.Text);
            if (!match.Success)
            {
                Problem(file, block.Line, $"the clause '{Short(block.Text)}' has no code; begin it with one to four capital letters and a number in bold, '- **A1** …'");
                continue;
            }

            var (code, text) = (match.Groups["code"].Value, match.Groups["text"].Value);
            var (examples, exclusions, sources) = (new List<string>(), new List<string>(), new List<string>());
            foreach (var note in group.Skip(1))
                if (NotePattern().Match(note.Text) is { Success: true } labelled)
                {
                    var value = labelled.Groups["text"].Value;
                    if (value.Length > 0) (labelled.Groups["kind"].Value[2] switch { 'a' or 'A' => examples, 'u' or 'U' => sources, _ => exclusions }).Add(value);
                }
                else text = $"{text} {note.Text}".TrimStart();

            var reading = ClauseText.Read(text);
            if (text.Length == 0) Problem(file, block.Line, $"clause {code} says nothing; write what it is about behind its code");
            else if (reading.Problem is { } problem) Problem(file, block.Line, $"in clause {code}, {problem}");
            var clause = new Clause(code, action, reading.Subject, text, reading.Exception, file, block.Line) { Examples = examples, Exclusions = exclusions, Source = sources.Count > 0 ? string.Join("; ", sources) : null };
            if (_codes.TryAdd(code, clause)) clauses.Add(clause);
            else Problem(file, block.Line, $"code {code} is already that of the clause at {PolicyException.Place(Full(_codes[code].File), _codes[code].Line)}; give one of the two another code");
        }
    }

    // A clause with what is indented under it.
    private static IEnumerable<List<Block>> Groups(IReadOnlyList<Block> blocks)
    {
        List<Block>? group = null;
        foreach (var block in blocks)
        {
            if (group is not null && block is { Kind: BlockKind.Bullet, Level: 1 })
            {
                group.Add(block);
                continue;
            }

            if (group is not null) yield return group;
            group = [block];
        }

        if (group is not null) yield return group;
    }

    private (string Title, List<Section> Sections) Sections(string file, string text)
    {
        var blocks = MarkdownBlocks.Read(text, (line, problem) => Problem(file, line, problem));
        var sections = new List<Section> { new("", 1, []) };
        string? title = null;
        foreach (var block in blocks)
            if (block is { Kind: BlockKind.Heading, Level: 1 })
            {
                if (title is not null) Problem(file, block.Line, $"a second title '{Short(block.Text)}'; sections begin with '##'");
                else if (sections is not [{ Blocks.Count: 0 }]) Problem(file, block.Line, "the title comes after other text; put '# Title' first");
                title ??= block.Text;
            }
            else if (block is { Kind: BlockKind.Heading, Level: 2 })
            {
                if (block.Text.Length == 0) Problem(file, block.Line, "a section without a name; write it behind '##' or take the line away");
                else sections.Add(new(block.Text, block.Line, []));
            }
            else sections[^1].Blocks.Add(block);
        if (string.IsNullOrEmpty(title)) Problem(file, 1, "there is no title; begin the file with '# Title'");
        return (title ?? "", sections);
    }

    private List<Section> Once(string file, List<Section> sections)
    {
        var first = new Dictionary<string, Section>();
        foreach (var section in sections)
            if (!first.TryAdd(Plain(section.Name.Split(':')[0]), section))
                Problem(file, section.Line, $"section '{section.Name}' stands here again, first at line {first[Plain(section.Name.Split(':')[0])].Line}; merge the two");
        return [.. first.Values];
    }

    private string? Text(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var bytes = new byte[LargestFile + 1];
            var read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (read <= LargestFile) return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes, 0, read);
            _problems.Add(new(PolicySeverity.Error, path, 0, $"the file is larger than {LargestFile >> 20} MiB; a policy's file holds one category"));
        }
        catch (DecoderFallbackException)
        {
            _problems.Add(new(PolicySeverity.Error, path, 0, "the file is not UTF-8 text; save it as UTF-8"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _problems.Add(new(PolicySeverity.Error, path, 0, $"cannot be read ({exception.Message})"));
        }

        return null;
    }

    private void Problem(string file, int line, string message) => _problems.Add(new(PolicySeverity.Error, Full(file), line, message));

    private string Full(string file) => Path.Combine(folder, file);

    private static string Plain(string name) => name.Replace('-', ' ').Trim().ToLowerInvariant();

    private static string Short(string text) => text.Length <= 50 ? text : text[..50] + "…";

    private sealed record Section(string Name, int Line, List<Block> Blocks);

    [GeneratedRegex(@"^(?:\*\*(?<name>.+?)\*\*|__(?<name>.+?)__|(?<name>[^:]+?)(?=:)) ?:? ?(?<meaning>.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex TermPattern();

    [GeneratedRegex(@"^(?:(?<bold>\*\*|__)\[?(?<code>[A-Z]{1,4}[0-9]{1,3})\]?[.:]?\k<bold>|\[(?<code>[A-Z]{1,4}[0-9]{1,3})\])[.:]?(?: (?<text>.*)|(?<text>))$", RegexOptions.CultureInvariant)]
    private static partial Regex ClausePattern();

    [GeneratedRegex(@"^(?<mark>\*\*|__|\*|_)?(?<kind>examples?|exclusions?|excluded|source)(?:\k<mark>:|:\k<mark>|:) ?(?<text>.*)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NotePattern();
}
