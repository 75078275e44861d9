namespace Deliberate.Runs.Store;

/// <summary>How the responses of one stage differ between two runs, matched by prompt and sample index.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Same">Both use the same response.</param>
/// <param name="Different">Both have a response, and not the same one.</param>
/// <param name="OnlyFirst">Only the first has one.</param>
/// <param name="OnlySecond">Only the second has one.</param>
public sealed record StageDifference(string Stage, long Same, long Different, long OnlyFirst, long OnlySecond);

/// <summary>How two runs of one store differ.</summary>
/// <param name="First">The first run.</param>
/// <param name="Second">The second run.</param>
/// <param name="Settings">What was set otherwise, as readable clauses: "judge: model a, then b".</param>
/// <param name="Stages">The stages of both.</param>
public sealed record RunDifference(RunUse First, RunUse Second, IReadOnlyList<string> Settings, IReadOnlyList<StageDifference> Stages)
{
    /// <summary>Compares two runs.</summary>
    /// <exception cref="ArgumentException">One of them is not there.</exception>
    public static RunDifference Between(ResponseStore store, string first, string second)
    {
        ArgumentNullException.ThrowIfNull(store);
        var summary = StoreSummary.Of(store);
        var (a, b) = (summary.Find(first), summary.Find(second));
        var stages = store.Rows("""
            WITH a AS MATERIALIZED (SELECT u.stage, u.prompt, r.sample, min(r.id) AS response FROM use u JOIN response r ON r.id = u.response
                    WHERE u.run = (SELECT id FROM run WHERE name = @first) GROUP BY 1, 2, 3),
                b AS MATERIALIZED (SELECT u.stage, u.prompt, r.sample, min(r.id) AS response FROM use u JOIN response r ON r.id = u.response
                    WHERE u.run = (SELECT id FROM run WHERE name = @second) GROUP BY 1, 2, 3)
            SELECT stage, sum(ifnull(a.response = b.response, 0)), sum(ifnull(a.response <> b.response, 0)), sum(b.response IS NULL), sum(a.response IS NULL)
            FROM a FULL JOIN b USING (stage, prompt, sample) GROUP BY stage ORDER BY stage
            """, ("@first", first), ("@second", second))
            .Select(row => new StageDifference(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4))).ToList();
        return new(a, b, [.. Changes(a, b)], stages);
    }

    private static IEnumerable<string> Changes(RunUse a, RunUse b)
    {
        if (Change("policy", a.Policies, b.Policies) is { } policy) yield return policy;
        foreach (var stage in a.Stages.Concat(b.Stages).Select(stage => stage.Stage).Distinct().Order(StringComparer.Ordinal))
        {
            if (Change($"{stage}: model", Of(a, stage, use => use.Model), Of(b, stage, use => use.Model)) is { } model) yield return model;
            if (Change($"{stage}: template", Of(a, stage, use => use.Template ?? "none"), Of(b, stage, use => use.Template ?? "none")) is { } template) yield return template;
        }
    }

    private static IEnumerable<string> Of(RunUse run, string stage, Func<StageUse, string> fact) => run.Stages.Where(use => use.Stage == stage).Select(fact);

    // Nothing where one side has nothing to compare.
    private static string? Change(string what, IEnumerable<string> first, IEnumerable<string> second)
    {
        var (a, b) = (string.Join(" + ", first.Distinct().Order(StringComparer.Ordinal)), string.Join(" + ", second.Distinct().Order(StringComparer.Ordinal)));
        return a == b || a.Length == 0 || b.Length == 0 ? null : $"{what} {a}, then {b}";
    }
}
