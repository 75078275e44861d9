using System.Globalization;

namespace Deliberate.Runs.Store;

/// <summary>What a store says, as plain text in aligned columns.</summary>
public static class RunsText
{
    /// <summary>The runs of a store, one a line.</summary>
    public static string List(StoreSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        var head = Text($"{summary.File}: {summary.Responses:N0} responses to {summary.Requests:N0} requests, {summary.Bytes / 1e6:N1} MB");
        if (summary.Runs.Count == 0) return head;
        return Lines([head, "", .. Table(["run", "created", "stages", "responses", "paid", "reused", "failed", "cost"], summary.Runs.Select(run =>
        {
            var (responses, paid) = (run.Stages.Sum(stage => stage.Responses), run.Stages.Sum(stage => stage.Paid));
            return (string[])[run.Run, Time(run.Created), string.Join(", ", run.Stages.Select(stage => stage.Stage).Distinct()), Count(responses), Count(paid), Count(responses - paid), Count(run.Failures.Sum(stage => stage.Calls)), Money(run.Cost)];
        }), 3)]);
    }

    /// <summary>One run: its stages, and its failed calls when there are some.</summary>
    /// <param name="run">The run.</param>
    /// <param name="failures">Its failed calls; the first of them are listed.</param>
    /// <param name="most">Most failed calls to list.</param>
    public static string Show(RunUse run, IEnumerable<StoredFailure> failures, int most = 20)
    {
        ArgumentNullException.ThrowIfNull(run);
        var lines = new List<string>
        {
            $"run       {run.Run}",
            $"created   {Time(run.Created)}",
            $"policies  {(run.Policies.Count == 0 ? "none" : string.Join(", ", run.Policies))}",
            "",
        };
        lines.AddRange(Table(["stage", "model", "template", "responses", "paid", "reused", "tokens in", "tokens out", "cost"], run.Stages.Select(stage => (string[])[
            stage.Stage, stage.Model, stage.Template ?? "–", Count(stage.Responses), Count(stage.Paid), Count(stage.Responses - stage.Paid), Count(stage.TokensIn), Count(stage.TokensOut), Money(stage.Cost)]), 3));
        var failed = run.Failures.Sum(stage => stage.Calls);
        if (failed == 0) return Lines(lines);
        lines.AddRange(["", Text($"{failed:N0} calls failed: {string.Join(", ", run.Failures.Select(stage => $"{Count(stage.Calls)} in {stage.Stage}"))}. The same command tries them again.")]);
        lines.AddRange(Table(["stage", "prompt", "sample", "tried", "reason"], failures.Take(most).Select(failure => (string[])[
            failure.Stage, failure.PromptId, Count(failure.SampleIndex), Count(failure.Attempts), failure.Reason]), int.MaxValue));
        if (failed > most) lines.Add(Text($"… and {failed - most:N0} more"));
        return Lines(lines);
    }

    /// <summary>How two runs differ.</summary>
    public static string Difference(RunDifference difference)
    {
        ArgumentNullException.ThrowIfNull(difference);
        var (a, b) = (difference.First.Run, difference.Second.Run);
        return Lines([
            .. difference.Settings.Count == 0 ? ["settings: the same"] : difference.Settings,
            "",
            .. Table(["stage", "same", "different", $"only in {a}", $"only in {b}"], difference.Stages.Select(stage => (string[])[
                stage.Stage, Count(stage.Same), Count(stage.Different), Count(stage.OnlyFirst), Count(stage.OnlySecond)]), 1),
            "",
            $"cost: {a} {Money(difference.First.Cost)}, {b} {Money(difference.Second.Cost)}",
        ]);
    }

    /// <summary>What is valid and what is stale.</summary>
    public static string Of(Staleness staleness)
    {
        ArgumentNullException.ThrowIfNull(staleness);
        var head = Text($"{staleness.Valid:N0} responses are valid, {staleness.Stale:N0} are stale");
        if (staleness.Groups.Count == 0) return head;
        return Lines([head, "", .. Table(["stage", "category", "state", "responses", "tokens out", "cost"], staleness.Groups.Select(group => (string[])[
            group.Stage, group.Category ?? "–", Word(group.Reason), Count(group.Responses), Count(group.TokensOut), Money(group.Cost)]), 3)]);
    }

    /// <summary>What a cleaning deletes.</summary>
    public static string Of(CleaningResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Text($"{result.Responses:N0} responses ({result.Characters / 1e6:N1} million characters; they cost {Money(result.Cost)}); {result.Kept:N0} stay");
    }

    private static string Word(StaleReason reason) => reason switch
    {
        StaleReason.None => "valid",
        StaleReason.Model => "stale: another model",
        StaleReason.Template => "stale: another template",
        StaleReason.Specification => "stale: the policy reads otherwise",
        _ => "stale: the category is gone",
    };

    // Columns from `numbers` on stand to the right.
    private static IEnumerable<string> Table(string[] head, IEnumerable<string[]> body, int numbers)
    {
        string[][] rows = [head, .. body];
        var widths = head.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => column >= numbers ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
    }

    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines);

    private static string Count(long number) => Text($"{number:N0}");

    private static string Money(decimal dollars) => dollars == 0 ? "–" : dollars < 0.01m ? Text($"${dollars:0.000000}") : Text($"${dollars:N2}");

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
