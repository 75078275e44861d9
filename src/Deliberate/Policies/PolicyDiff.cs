namespace Deliberate.Policies;

/// <summary>What became of a part of a policy.</summary>
public enum ChangeKind
{
    /// <summary>It is new.</summary>
    Added,

    /// <summary>It is gone.</summary>
    Removed,

    /// <summary>It reads differently.</summary>
    Changed,
}

/// <summary>A clause that is not the same in two policies.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Code">Its code.</param>
/// <param name="Category">The id of the category it stands in, or stood in when it is gone.</param>
/// <param name="Fields">What changed, of "category", "action", "text", "examples", "exclusions" and "source"; empty unless it was changed.</param>
/// <param name="Before">The clause before, or null.</param>
/// <param name="After">The clause after, or null.</param>
public sealed record ClauseChange(ChangeKind Kind, string Code, string Category, IReadOnlyList<string> Fields, Clause? Before, Clause? After);

/// <summary>A category that is not the same in two policies.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Category">Its id.</param>
/// <param name="Fields">What changed, of "title", "summary", "terms" and "clauses"; empty unless it was changed.</param>
public sealed record CategoryChange(ChangeKind Kind, string Category, IReadOnlyList<string> Fields);

/// <summary>
/// How two policies differ in what they say, clause by code, category by id. Line breaks, comments and the order of sections are no difference, and
/// neither is where a clause was taken from as far as specifications go. Immutable.
/// </summary>
/// <param name="Before">Hash of the policy before.</param>
/// <param name="After">Hash of the policy after.</param>
/// <param name="Guidelines">What changed of policy.md, of "title", "introduction", "principles", "refusal style", "safe-completion style" and "precedence".</param>
/// <param name="Categories">Categories that differ, by id.</param>
/// <param name="Clauses">Clauses that differ, by category and code.</param>
public sealed record PolicyDiff(string Before, string After, IReadOnlyList<string> Guidelines, IReadOnlyList<CategoryChange> Categories, IReadOnlyList<ClauseChange> Clauses)
{
    /// <summary>True when the policies say the same.</summary>
    public bool IsEmpty => Guidelines.Count == 0 && Categories.Count == 0 && Clauses.Count == 0;

    /// <summary>The ids of the categories whose own text differs: what was judged or written by their clauses is stale.</summary>
    public IReadOnlyList<string> ChangedCategories => [.. Categories.Select(change => change.Category)];

    /// <summary>
    /// True when something that every specification shows differs: the guidelines, or the title or summary of any category, or which there are. Then
    /// nothing that was made with any specification was made with the one that would be shown now.
    /// </summary>
    public bool TouchesAll => Guidelines.Count > 0 || Categories.Any(change => change.Kind != ChangeKind.Changed || change.Fields.Contains("title") || change.Fields.Contains("summary"));

    /// <summary>Whether the specification of a category reads differently.</summary>
    /// <param name="category">The category's id, or null for the specification that shows no category in full.</param>
    public bool IsStale(string? category) => TouchesAll || Categories.Any(change => change.Category == category);

    /// <summary>Compares two policies.</summary>
    public static PolicyDiff Between(Policy before, Policy after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var clauses = ClausesOf(before, after);
        // The source of a clause is not shown to models.
        var told = clauses.Where(change => change.Fields is not ["source"]).ToArray();
        return new(before.Hash, after.Hash, [.. GuidelinesOf(before, after)], [.. CategoriesOf(before, after, told)], clauses);
    }

    private static IEnumerable<string> GuidelinesOf(Policy before, Policy after)
    {
        if (before.Title != after.Title) yield return "title";
        if (before.Introduction != after.Introduction) yield return "introduction";
        if (!before.Principles.SequenceEqual(after.Principles)) yield return "principles";
        if (before.Refusal != after.Refusal) yield return "refusal style";
        if (before.SafeCompletion != after.SafeCompletion) yield return "safe-completion style";
        if (before.Precedence != after.Precedence) yield return "precedence";
    }

    private static IEnumerable<CategoryChange> CategoriesOf(Policy before, Policy after, ClauseChange[] clauses)
    {
        foreach (var id in before.Categories.Concat(after.Categories).Select(category => category.Id).Distinct().Order(StringComparer.Ordinal))
        {
            var (old, now) = (before.Categories.FirstOrDefault(category => category.Id == id), after.Categories.FirstOrDefault(category => category.Id == id));
            if (old is null || now is null)
            {
                yield return new(old is null ? ChangeKind.Added : ChangeKind.Removed, id, []);
                continue;
            }

            var fields = new List<string>();
            if (old.Title != now.Title) fields.Add("title");
            if (old.Summary != now.Summary || old.Condensed != now.Condensed) fields.Add("summary");
            if (!old.Terms.Select(term => (term.Name, term.Meaning)).SequenceEqual(now.Terms.Select(term => (term.Name, term.Meaning)))) fields.Add("terms");
            // A specification also shows the order of clauses.
            if (clauses.Any(change => change.Category == id || (change.Fields.Contains("category") && old.Clauses.Any(clause => clause.Code == change.Code))) || !Order(old).SequenceEqual(Order(now))) fields.Add("clauses");
            if (fields.Count > 0) yield return new(ChangeKind.Changed, id, fields);
        }
    }

    private static IEnumerable<string> Order(Category category) => category.Clauses.OrderBy(clause => clause.Action).Select(clause => clause.Code);

    private static List<ClauseChange> ClausesOf(Policy before, Policy after)
    {
        var changes = new List<ClauseChange>();
        var old = Located(before);
        var now = Located(after);
        foreach (var (code, (category, clause)) in now)
            if (!old.TryGetValue(code, out var was)) changes.Add(new(ChangeKind.Added, code, category, [], null, clause));
            else if (Fields(was, (category, clause)).ToArray() is { Length: > 0 } fields) changes.Add(new(ChangeKind.Changed, code, category, fields, was.Clause, clause));
        foreach (var (code, (category, clause)) in old)
            if (!now.ContainsKey(code)) changes.Add(new(ChangeKind.Removed, code, category, [], clause, null));
        return [.. changes.OrderBy(change => change.Category, StringComparer.Ordinal).ThenBy(change => change.Code.TrimEnd("0123456789".ToCharArray()), StringComparer.Ordinal)
            .ThenBy(change => change.Code.Length).ThenBy(change => change.Code, StringComparer.Ordinal)];
    }

    private static Dictionary<string, (string Category, Clause Clause)> Located(Policy policy) =>
        policy.Categories.SelectMany(category => category.Clauses.Select(clause => (category.Id, clause))).ToDictionary(entry => entry.clause.Code, entry => (entry.Id, entry.clause));

    private static IEnumerable<string> Fields((string Category, Clause Clause) before, (string Category, Clause Clause) after)
    {
        if (before.Category != after.Category) yield return "category";
        if (before.Clause.Action != after.Clause.Action) yield return "action";
        if (before.Clause.Text != after.Clause.Text) yield return "text";
        if (!before.Clause.Examples.SequenceEqual(after.Clause.Examples)) yield return "examples";
        if (!before.Clause.Exclusions.SequenceEqual(after.Clause.Exclusions)) yield return "exclusions";
        if (before.Clause.Source != after.Clause.Source) yield return "source";
    }
}
