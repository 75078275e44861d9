using Deliberate.Reports;
using Deliberate.Server.Dashboard.Files;

namespace Deliberate.Server.Dashboard.Runs;

/// <summary>Training curves and alarms of a run, also while it trains.</summary>
/// <param name="Curves">The curves.</param>
/// <param name="Alarms">The alarms.</param>
internal sealed record RunCurves(IReadOnlyList<ReportCurve> Curves, IReadOnlyList<ReportAlarm> Alarms)
{
    private sealed record TrainingLog(IReadOnlyList<ReportCurve> Curves, IReadOnlyList<ReportAlarm> Alarms);

    private sealed record Tuned(IReadOnlyList<double> Losses);

    private sealed record Noted(Tuned Result);

    public static RunCurves Of(RunPlace run)
    {
        if (run.Report is { } report) return new(report.Curves, report.Alarms);
        var done = run.StageFiles("training-", ".json").Select(path => new WholeFile<TrainingLog>(path).Value).OfType<TrainingLog>().ToArray();
        var curves = done.SelectMany(log => log.Curves).ToList();
        if (run.IsOfFiles)
        {
            foreach (var arm in (string[])["instant-refusal", "sft"])
                if (new WholeFile<Noted>(run.PathOf(Path.Combine("stages", $"{arm}-last.json"))).Value is { } noted)
                    curves.Add(Curve(arm, "loss", noted.Result.Losses.Select((loss, step) => (step + 1, loss))));
            var steps = run.Rollouts.Logged;
            if (steps.Count > 0)
            {
                curves.AddRange(
                [
                    Curve("sft+rl", "reward", steps.Select(step => (step.Step, step.Reward))), Curve("sft+rl", "kl", steps.Select(step => (step.Step, step.Kl))),
                    Curve("sft+rl", "entropy", steps.Select(step => (step.Step, step.Entropy))), Curve("sft+rl", "length", steps.Select(step => (step.Step, step.Length))),
                    Curve("sft+rl", "refusals", steps.Select(step => (step.Step, step.Refusals))), Curve("sft+rl", "flat groups", steps.Select(step => (step.Step, step.Flat))),
                ]);
            }
        }

        // An arm that is being trained has written its rollouts, and no more.
        foreach (var arm in run.Rollouts.Arms.Where(arm => curves.All(curve => curve.Arm != arm || curve.Name != "reward")))
        {
            var steps = run.Rollouts.Of(arm).GroupBy(rollout => rollout.Step).OrderBy(step => step.Key).ToArray();
            curves.Add(Curve(arm, "reward", steps.Select(step => (step.Key, step.Average(rollout => rollout.Reward) ?? double.NaN))));
            curves.Add(Curve(arm, "answer length, words", steps.Select(step => (step.Key, step.Average(rollout => (double)rollout.AnswerWords)))));
        }

        return new(curves, [.. done.SelectMany(log => log.Alarms)]);
    }

    private static ReportCurve Curve(string arm, string name, IEnumerable<(int Step, double Value)> points) =>
        new(arm, name, [.. points.Where(point => double.IsFinite(point.Value)).Select(point => (IReadOnlyList<double>)[point.Step, point.Value])]);
}
