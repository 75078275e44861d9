using Deliberate.Policies;

namespace Deliberate.Runs.Store;

/// <summary>Why a stored response would not be used today.</summary>
public enum StaleReason
{
    /// <summary>It would be used: it is valid.</summary>
    None,

    /// <summary>The model of its stage is another.</summary>
    Model,

    /// <summary>The format of its stage's messages is another.</summary>
    Template,

    /// <summary>The specification in its request would read otherwise.</summary>
    Specification,

    /// <summary>Its category is no longer in the policy.</summary>
    CategoryGone,
}

/// <summary>What is used today. What is null or not named is taken to be as it was.</summary>
/// <param name="Policy">The policy, or null.</param>
/// <param name="TokenBudget">
/// The budget that specifications are fitted to; null when unknown: then a stored one is valid if the policy gives it at any budget.
/// </param>
/// <param name="CountTokens">Counts a text's tokens for the budget; by default one for every four characters.</param>
/// <param name="Models">The model of each stage, by the stage's name.</param>
/// <param name="Templates">The version of the messages' format of each stage, by the stage's name.</param>
public sealed record PresentState(
    Policy? Policy = null, int? TokenBudget = null, Func<string, int>? CountTokens = null, IReadOnlyDictionary<string, string>? Models = null, IReadOnlyDictionary<string, string>? Templates = null);

/// <summary>Responses of one stage and category that share a fate.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Category">The category in their requests, or null.</param>
/// <param name="Reason">Why they are stale, or that they are not.</param>
/// <param name="Responses">How many they are.</param>
/// <param name="TokensOut">Tokens in them, as far as known: what asking again would take.</param>
/// <param name="Cost">What they cost, in dollars, as far as known.</param>
public sealed record StaleGroup(string Stage, string? Category, StaleReason Reason, long Responses, long TokensOut, decimal Cost);

/// <summary>
/// Which stored responses are still valid. A response depends on the specification in its request, not on the whole policy: where one category changes,
/// only responses whose specification reads otherwise are stale, and those of another model only in the stages that changed theirs.
/// </summary>
/// <param name="Groups">All responses by stage, category and fate.</param>
/// <remarks>It is a forecast. What is really asked again is decided by each response's key alone.</remarks>
public sealed record Staleness(IReadOnlyList<StaleGroup> Groups)
{
    /// <summary>Responses that are valid.</summary>
    public long Valid => Groups.Where(group => group.Reason == StaleReason.None).Sum(group => group.Responses);

    /// <summary>Responses that are stale.</summary>
    public long Stale => Groups.Where(group => group.Reason != StaleReason.None).Sum(group => group.Responses);

    /// <summary>Finds out what is stale.</summary>
    /// <param name="store">The store.</param>
    /// <param name="present">What is used today.</param>
    /// <param name="run">Only responses that this run uses; null for all.</param>
    /// <exception cref="PolicyException">A category cannot be fitted to the budget.</exception>
    public static Staleness Of(ResponseStore store, PresentState present, string? run = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(present);
        var specs = Judged(store, present);
        var groups = new Dictionary<(string, string?, StaleReason), (long Responses, long Tokens, decimal Cost)>();
        foreach (var row in store.Rows("""
            SELECT u.stage, q.spec, r.model, r.template, count(*), sum(ifnull(r.tokens_out, 0)), sum(ifnull(r.cost_nano, 0))
            FROM (SELECT DISTINCT stage, response FROM use WHERE @run IS NULL OR run = (SELECT id FROM run WHERE name = @run)) u
            JOIN response r ON r.id = u.response JOIN request q ON q.id = r.request
            GROUP BY u.stage, q.spec, r.model, r.template
            """, ("@run", run)))
        {
            var stage = row.GetString(0);
            var spec = row.IsDBNull(1) ? new(null, StaleReason.None) : specs[row.GetInt64(1)];
            var reason = IsAnother(present.Models, stage, row.GetString(2)) ? StaleReason.Model
                : IsAnother(present.Templates, stage, StoreSummary.Text(row, 3)) ? StaleReason.Template : spec.Reason;
            var key = (stage, spec.Category, reason);
            var (responses, tokens, cost) = groups.GetValueOrDefault(key);
            groups[key] = (responses + row.GetInt64(4), tokens + row.GetInt64(5), cost + row.GetInt64(6) / 1_000_000_000m);
        }

        return new([.. groups.OrderBy(group => group.Key.Item1, StringComparer.Ordinal).ThenBy(group => group.Key.Item2, StringComparer.Ordinal).ThenBy(group => group.Key.Item3)
            .Select(group => new StaleGroup(group.Key.Item1, group.Key.Item2, group.Key.Item3, group.Value.Responses, group.Value.Tokens, group.Value.Cost))]);
    }

    /// <summary>The fate of every stored specification, by its row.</summary>
    internal static Dictionary<long, (string? Category, StaleReason Reason)> Judged(ResponseStore store, PresentState present)
    {
        var today = new Dictionary<string, HashSet<string>?>();
        var judged = new Dictionary<long, (string?, StaleReason)>();
        foreach (var row in store.Rows("SELECT id, category, text FROM spec"))
        {
            var category = StoreSummary.Text(row, 1);
            var name = category ?? "";
            if (present.Policy is { } policy && !today.ContainsKey(name)) today[name] = Texts(policy, category, present);
            var texts = present.Policy is null ? null : today[name];
            judged[row.GetInt64(0)] = (category, present.Policy is null ? StaleReason.None
                : texts is null ? StaleReason.CategoryGone
                : texts.Contains(row.GetString(2)) ? StaleReason.None : StaleReason.Specification);
        }

        return judged;
    }

    // What the specification of a category reads today; null when the category is gone.
    private static HashSet<string>? Texts(Policy policy, string? category, PresentState present)
    {
        if (category is not null && policy.Categories.All(known => known.Id != category)) return null;
        if (present.TokenBudget is { } given) return [policy.Spec(category, given, present.CountTokens).Text];
        var full = category is null ? null : policy.FindCategory(category);
        var texts = new HashSet<string>();
        for (var budget = int.MaxValue; budget > 0;)
        {
            var (text, _, tokens) = SpecText.Fit(policy.Parts, full, budget, present.CountTokens);
            if (text is null) break;
            texts.Add(text);
            budget = tokens - 1;
        }

        return texts;
    }

    private static bool IsAnother(IReadOnlyDictionary<string, string>? present, string stage, string? stored) =>
        present is not null && present.TryGetValue(stage, out var today) && today != stored;
}
