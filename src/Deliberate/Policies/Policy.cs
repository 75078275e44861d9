using System.Security.Cryptography;
using System.Text;

namespace Deliberate.Policies;

/// <summary>
/// A policy: principles, how to refuse and to safe-complete, and coded clauses by category (arXiv 2412.16339, section 2.2). It is a
/// folder of Markdown; <c>docs/policies.md</c> describes the format. Immutable, safe for threads.
/// </summary>
public sealed class Policy
{
    private readonly PolicyParts _parts;
    private readonly Dictionary<string, Clause> _clauses;

    internal Policy(string folder, PolicyParts parts)
    {
        (Folder, _parts) = (folder, parts);
        _clauses = Clauses.ToDictionary(clause => clause.Code);
        var content = new StringBuilder();
        foreach (var (name, text) in ToMarkdown()) content.Append(name).Append('\n').Append(text).Append('\f');
        foreach (var category in Categories)
            if (category.Condensed is { } condensed) content.Append(category.File).Append('\v').Append(condensed).Append('\f');
        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content.ToString())))[..16];
    }

    /// <summary>The heading of policy.md.</summary>
    public string Title => _parts.Title;

    /// <summary>The folder it was read from, as it was given.</summary>
    public string Folder { get; }

    /// <summary>
    /// The first 16 hex digits of the SHA-256 over its content in a normal form: file names and texts count, and so do condensed summaries; line endings,
    /// blank lines, trailing spaces, line breaks within a paragraph, comments, the marks of lists and the order of a category's sections do not.
    /// </summary>
    public string Hash { get; }

    /// <summary>The text below the title; empty when there is none.</summary>
    public string Introduction => _parts.Introduction;

    /// <summary>The principles.</summary>
    public IReadOnlyList<string> Principles => _parts.Principles;

    /// <summary>How to refuse.</summary>
    public StyleGuide Refusal => _parts.Refusal;

    /// <summary>How to safe-complete.</summary>
    public StyleGuide SafeCompletion => _parts.SafeCompletion;

    /// <summary>Which clause wins when several apply; empty when the policy does not say.</summary>
    public string Precedence => _parts.Precedence;

    /// <summary>The categories, ordered by file name.</summary>
    public IReadOnlyList<Category> Categories => _parts.Categories;

    /// <summary>All clauses, category by category in the order of the files.</summary>
    public IEnumerable<Clause> Clauses => Categories.SelectMany(category => category.Clauses);

    /// <summary>Reads a policy's folder, with the condensed summaries that it keeps (<see cref="CategorySummaries"/>).</summary>
    /// <exception cref="PolicyException">The first thing that is wrong; <see cref="PolicyLint.Check(string, int, Func{string, int}?)"/> lists all.</exception>
    public static Policy Load(string folder)
    {
        var policy = OrThrow(PolicyReader.ReadFolder(folder), folder);
        return CategorySummaries.Apply(policy, CategorySummaries.Load(policy));
    }

    /// <summary>Reads a policy from files in memory.</summary>
    /// <param name="files">The texts by file name, each name once: "policy.md", "theft.md"…</param>
    /// <param name="folder">The folder that errors name.</param>
    /// <exception cref="PolicyException">The first thing that is wrong.</exception>
    public static Policy Parse(IEnumerable<KeyValuePair<string, string>> files, string folder = "policy")
    {
        ArgumentNullException.ThrowIfNull(files);
        return OrThrow(PolicyReader.ReadFiles(files, folder), folder);
    }

    /// <summary>The clause with this code, or null.</summary>
    public Clause? Find(string code) => _clauses.GetValueOrDefault(code);

    /// <summary>The category with this id, or else with this title, whatever the case; null when there is none.</summary>
    public Category? FindCategory(string name) =>
        Categories.FirstOrDefault(category => category.Id == name)
        ?? Categories.FirstOrDefault(category => category.Id.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? Categories.FirstOrDefault(category => category.Title.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// The specification for one category (section 2.3.1): the summaries of all categories, the principles and styles, and the category in full.
    /// Where that exceeds the budget, these give way in turn: the other categories' summaries shrink to their first sentence, then to their
    /// titles; the introduction goes; the list of the other categories goes. The principles, the styles, the precedence and the category never do.
    /// </summary>
    /// <param name="category">A category's id or title, or null for a specification without a category in full.</param>
    /// <param name="tokenBudget">The most tokens it may have.</param>
    /// <param name="countTokens">Counts a text's tokens; by default one for every four characters, rounded up.</param>
    /// <exception cref="PolicyException">There is no such category, or the part that must stay exceeds the budget.</exception>
    public Spec Spec(string? category, int tokenBudget = 4096, Func<string, int>? countTokens = null)
    {
        var full = category is null ? null : FindCategory(category)
            ?? throw new PolicyException(Folder, 0, $"there is no category '{category}'; known are {string.Join(", ", Categories.Select(known => known.Id))}");
        var (text, _, needed) = SpecText.Fit(_parts, full, tokenBudget, countTokens);
        return new(text ?? throw new PolicyException(full is null ? Path.Combine(Folder, "policy.md") : Path.Combine(Folder, full.File), 0,
            $"the specification {(full is null ? "" : $"of '{full.Id}' ")}needs {needed} tokens at the least and the budget is {tokenBudget}; raise the budget or shorten {(full is null ? "principles and styles" : "the category")}"), full?.Id, Hash);
    }

    /// <summary>
    /// The policy with another action for one clause, for a what-if: the clause moves to the other section and keeps its words. An exception that
    /// would now demand the same is dropped, with its sentence, and so is "only for …, else …", which is a condition of the old action.
    /// </summary>
    /// <exception cref="PolicyException">There is no such clause.</exception>
    public Policy WithClauseAction(string code, PolicyAction action)
    {
        var clause = Find(code) ?? throw new PolicyException(Folder, 0, $"there is no clause '{code}'; known are {string.Join(", ", Categories.Where(category => category.Clauses.Count > 0).Select(Codes))}");
        var edited = clause with { Action = action };
        if (clause.Exception is { } exception && (exception.Otherwise || exception.Action == action)) edited = edited with { Exception = null, Text = ClauseText.Read(clause.Text).Rest };
        return new(Folder, _parts with
        {
            Categories = [.. Categories.Select(category => category with { Clauses = [.. category.Clauses.Select(other => other.Code == code ? edited : other)] })],
        });
    }

    /// <summary>The policy with these condensed summaries in the specifications of other categories; those not named keep theirs.</summary>
    /// <param name="summaries">Texts of one paragraph by the categories' ids, such as <see cref="CategorySummaries"/> writes.</param>
    /// <exception cref="PolicyException">There is no such category.</exception>
    public Policy WithCondensed(IReadOnlyDictionary<string, string> summaries)
    {
        ArgumentNullException.ThrowIfNull(summaries);
        foreach (var id in summaries.Keys)
            if (Categories.All(category => category.Id != id)) throw new PolicyException(Folder, 0, $"there is no category '{id}' to be summarised; known are {string.Join(", ", Categories.Select(known => known.Id))}");
        return new(Folder, _parts with { Categories = [.. Categories.Select(category => summaries.TryGetValue(category.Id, out var text) ? category with { Condensed = text } : category)] });
    }

    /// <summary>
    /// The policy's files in their normal form, by name: what the hash is taken over. Reading them gives an equal policy; clauses stand in the order of
    /// their sections.
    /// </summary>
    public IReadOnlyDictionary<string, string> ToMarkdown() => PolicyMarkdown.Files(_parts);

    internal PolicyParts Parts => _parts;

    private static string Codes(Category category) => category.Clauses is [var only] ? only.Code : $"{category.Clauses[0].Code} to {category.Clauses[^1].Code}";

    private static Policy OrThrow((Policy? Policy, IReadOnlyList<PolicyFinding> Problems) read, string folder) =>
        read.Problems is [var first, ..] ? throw new PolicyException(first.File, first.Line, first.Message) : read.Policy ?? throw new PolicyException(folder, 0, "cannot be read");
}
