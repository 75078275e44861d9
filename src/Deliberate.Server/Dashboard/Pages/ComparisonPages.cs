using Deliberate.Reports;
using Deliberate.Server.Dashboard.Comparison;
using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Report;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Dashboard.Pages;

/// <summary>Pages that set models side by side.</summary>
internal static class ComparisonPages
{
    private const int RunsAtFirst = 3;

    public static IResult Compare(HttpContext http, PageSource pages, RunsFolder runs, string? a = null, string? b = null)
    {
        var all = runs.List();
        MeasuredModel[] models = [.. all.SelectMany(run => HeldOutAnswer.Arms(run).Select(arm => new MeasuredModel(run.Name, arm)))];
        var (first, second) = (models.FirstOrDefault(model => model.Value == a), models.FirstOrDefault(model => model.Value == b));
        RunComparison? comparison = null;
        ClauseIndex clauses = new([]);
        if (first is not null && second is not null)
        {
            var (firstRun, secondRun) = (all.First(run => run.Name == first.Run), all.First(run => run.Name == second.Run));
            comparison = RunComparison.Of(firstRun, first.Arm, secondRun, second.Arm, Caller.Of(http.User));
            clauses = pages.Clauses(firstRun);
        }

        return pages.Page<ComparePage>(http, (nameof(ComparePage.Models), models), (nameof(ComparePage.First), first), (nameof(ComparePage.Second), second),
            (nameof(ComparePage.Comparison), comparison), (nameof(ComparePage.Clauses), clauses));
    }

    public static IResult Pareto(HttpContext http, PageSource pages, RunsFolder runs)
    {
        RunPlace[] reported = [.. runs.List().Where(run => run.Report is not null)];
        var asked = http.Request.Query["run"].OfType<string>().ToHashSet();
        RunPlace[] chosen = asked.Count == 0 ? [.. reported.Take(RunsAtFirst)] : [.. reported.Where(run => asked.Contains(run.Name))];
        // The arms of one run keep their own names and marks.
        ReportArm[] arms = [.. chosen.SelectMany(run => run.Report!.Arms.Select(arm => chosen.Length == 1 ? arm : arm with { Name = $"{run.Name}: {arm.Name}" }))];
        ReportCurve[] curves = [.. chosen.SelectMany(run => run.Report!.Curves.Select(curve => chosen.Length == 1 ? curve : curve with { Arm = $"{run.Name}: {curve.Arm}" }))];
        return pages.Page<ParetoPage>(http, (nameof(ParetoPage.Runs), (string[])[.. reported.Select(run => run.Name)]),
            (nameof(ParetoPage.Chosen), (string[])[.. chosen.Select(run => run.Name)]), (nameof(ParetoPage.Arms), arms), (nameof(ParetoPage.Checkpoints), Checkpoint.Of(curves)));
    }
}
