using System.Text.Json;
using Deliberate.Evaluation;
using Deliberate.Policies;
using Deliberate.Reports;
using Deliberate.Runs;
using Deliberate.Server.Dashboard.Comparison;
using Deliberate.Server.Dashboard.Policies;
using Deliberate.Server.Dashboard.Rollouts;
using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Report;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Dashboard.Pages;

/// <summary>Pages of runs as a whole.</summary>
internal static class RunPages
{
    public static IResult List(HttpContext http, PageSource pages, RunsFolder runs, RunStates states, RunCosts costs) =>
        pages.Page<RunsPage>(http, (nameof(RunsPage.Folder), runs.FolderPath), (nameof(RunsPage.Runs), (RunCard[])[.. runs.List().Select(run => Card(run, states, costs))]));

    public static IResult Overview(string run, HttpContext http, PageSource pages, RunsFolder runs, RunStates states, RunCosts costs) => runs.Find(run) is not { } place ? PageSource.NoRun(http)
        : pages.Page<RunPage>(http, (nameof(RunPage.Card), Card(place, states, costs)), (nameof(RunPage.Curves), RunCurves.Of(place).Curves), (nameof(RunPage.Figures), Figures(place)));

    public static IResult Reinforcement(string run, HttpContext http, PageSource pages, RunsFolder runs, string? arm = null, string? step = null, string? page = null)
    {
        if (runs.Find(run) is not { } place) return PageSource.NoRun(http);
        var training = RunCurves.Of(place);
        return pages.Page<RlPage>(http, (nameof(RlPage.Run), place.Name), (nameof(RlPage.Curves), training.Curves), (nameof(RlPage.Alarms), training.Alarms),
            (nameof(RlPage.Rollouts), RolloutPage.Of(place, Caller.Of(http.User), arm, Whole(step), Whole(page) ?? 1)), (nameof(RlPage.Clauses), pages.Clauses(place)));
    }

    public static IResult PolicyOf(string run, HttpContext http, PageSource pages, RunsFolder runs, RunPolicies policies)
    {
        if (runs.Find(run) is not { } place) return PageSource.NoRun(http);
        var (policy, clauses) = (policies.Find(place), policies.Clauses(place));
        var arms = HeldOutAnswer.Arms(place);
        var arm = ((string[])["sft+rl", "sft", "rl-only", "base+policy"]).FirstOrDefault(arms.Contains);
        return pages.Page<PolicyPage>(http, (nameof(PolicyPage.Run), place.Name), (nameof(PolicyPage.Hash), place.Manifest?.PolicyHash), (nameof(PolicyPage.Policy), policy),
            (nameof(PolicyPage.Findings), policy is null ? [] : PolicyLint.Check(policy)), (nameof(PolicyPage.Clauses), clauses), (nameof(PolicyPage.Index), new ClauseIndex(clauses)),
            (nameof(PolicyPage.Figures), ClauseFigure.Of(place, clauses.Select(clause => clause.Code), arm)), (nameof(PolicyPage.Arm), arm));
    }

    /// <summary>A whole number of an address; null when it is none.</summary>
    public static int? Whole(string? text) => int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : null;

    private static RunCard Card(RunPlace run, RunStates states, RunCosts costs)
    {
        var counts = run.Samples.Counts;
        return new(run, states.Of(run), RunsFolder.Started(run), (counts.Samples, counts.Kept), costs.Of(run), Telling(RunCurves.Of(run).Curves));
    }

    // The reward of the arm that went furthest, else what fine-tuning lost.
    private static ReportCurve? Telling(IReadOnlyList<ReportCurve> curves) =>
        ((string, string)[])[("sft+rl", "reward"), ("rl-only", "reward"), ("sft", "loss")] is var order
            ? order.Select(wanted => curves.FirstOrDefault(curve => (curve.Arm, curve.Name) == wanted && curve.Points.Count > 1)).FirstOrDefault(curve => curve is not null) : null;

    private static List<(string Arm, string Name, Metric Value)> Figures(RunPlace run)
    {
        if (run.Figures is not { } figures) return [];
        var rows = new List<(string, string, Metric)>();
        if (Read<Dictionary<string, Dictionary<string, Metric>>>("arms") is { } arms)
            foreach (var (arm, metrics) in arms) rows.AddRange(metrics.Select(metric => (arm, metric.Key, metric.Value)));
        if (Read<Dictionary<string, Metric>>("difference") is { } differences) rows.AddRange(differences.Select(metric => ("difference", metric.Key, metric.Value)));
        return rows;

        T? Read<T>(string name) where T : class
        {
            try
            {
                return figures.TryGetValue(name, out var json) ? json.Deserialize<T>(RunJson.Options) : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }
}
