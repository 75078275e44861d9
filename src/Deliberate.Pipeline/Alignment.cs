using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Deliberate.Pipeline.Stages;
using Deliberate.Reports;
using Deliberate.Runs;

namespace Deliberate.Pipeline;

/// <summary>
/// The whole method on one policy and one model: generate, judge, distill, sft, rl, eval, report (paper, section 2). Each stage
/// takes from the run's folder what was finished earlier, so that an interrupted run goes on with the same call.
/// </summary>
/// <remarks>Not thread-safe. One process at a time holds a run's folder; dispose to let it go.</remarks>
public sealed class Alignment : IDisposable
{
    private readonly RunContext _run;
    private readonly StageClock _clock;
    private readonly DataStages _data;
    private readonly ArmStore _arms;
    private readonly IProgress<StageProgress> _progress;
    private readonly Stopwatch _wall = Stopwatch.StartNew();
    private readonly double _earlierSeconds;
    private IProgress<StageProgress>? _listener;
    private EvalStage? _eval;

    private Alignment(RunContext run)
    {
        _run = run;
        _clock = new(run.Store, run.Key);
        _arms = new(run);
        _progress = new Relay(this);
        _data = new(run, _clock, _progress);
        if (run.Store.TryLoad<Elapsed>("elapsed", run.Key, out var elapsed)) _earlierSeconds = elapsed.Seconds;
    }

    private sealed record Elapsed(double Seconds);

    // Stages report to whoever called last.
    private sealed class Relay(Alignment owner) : IProgress<StageProgress>
    {
        public void Report(StageProgress value) => owner._listener?.Report(value);
    }

    /// <summary>The stages in order.</summary>
    public static IReadOnlyList<string> StageNames { get; } = ["generate", "judge", "distill", "sft", "rl", "eval", "report"];

    /// <summary>Opens a run, new or begun earlier with the same options.</summary>
    /// <exception cref="AlignmentException">The model cannot be read, or the folder is in use or belongs to another run.</exception>
    /// <exception cref="Policies.PolicyException">The policy cannot be read, or speaks of nothing that the miniature knows.</exception>
    public static Alignment Open(AlignmentOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        foreach (var arm in options.Arms)
            if (!Arms.All.Contains(arm)) throw new AlignmentException($"there is no arm '{arm}'; the arms are {string.Join(", ", Arms.All)}.");
        return new(RunContext.Open(options));
    }

    internal static Alignment Over(RunContext run) => new(run);

    /// <summary>Runs every stage for every arm, writes <c>report.json</c> into the run's folder, and returns the report.</summary>
    /// <exception cref="AlignmentException">A stage cannot go on.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what is finished is kept.</exception>
    public async Task<RunReport> RunAsync(IProgress<StageProgress>? progress = null, CancellationToken cancel = default)
    {
        _listener = progress;
        try
        {
            var evaluations = new Dictionary<string, ArmEvaluation>();
            var logs = new List<TrainingLog>();
            foreach (var arm in _run.Options.Arms)
            {
                if (await TrainedAsync(arm, cancel).ConfigureAwait(false) is { } model) logs.Add(model.Log);
                evaluations[arm] = await EvaluateAsync(arm, cancel).ConfigureAwait(false);
            }

            var judge = new Dictionary<string, JudgeErrors>();
            if (Reinforced is { } reinforced)
            {
                var before = reinforced == Arms.SftRl ? (await TrainedAsync(Arms.Sft, cancel).ConfigureAwait(false))!.Weights : _run.Base.Weights;
                var trials = new JudgeTrialStage(_run, _clock, _progress);
                judge["start"] = await trials.MeasureAsync("start", before, cancel).ConfigureAwait(false);
                judge["end"] = await trials.MeasureAsync("end", (await TrainedAsync(reinforced, cancel).ConfigureAwait(false))!.Weights, cancel).ConfigureAwait(false);
            }

            var data = _run.Options.Arms.Any(NeedsData) ? await _data.DistillAsync(cancel).ConfigureAwait(false) : null;
            var report = new ReportBuilder(_run, Eval.Items, data).Build(evaluations, judge, logs, _clock.Stages, _earlierSeconds + _wall.Elapsed.TotalSeconds);
            AtomicFile.Write(_run.PathOf("report.json"), stream => JsonSerializer.Serialize(stream, report, RunJson.Indented));
            progress?.Report(new("report", null, 1, 1, "pages"));
            return report;
        }
        finally
        {
            _run.Store.Save("elapsed", _run.Key, new Elapsed(_earlierSeconds + _wall.Elapsed.TotalSeconds));
        }
    }

    /// <summary>Runs one stage and what it needs, and says in a few lines what came of it.</summary>
    /// <exception cref="AlignmentException">There is no such stage, or it cannot go on.</exception>
    public async Task<IReadOnlyList<(string Name, string Value)>> StageAsync(string stage, IProgress<StageProgress>? progress = null, CancellationToken cancel = default)
    {
        _listener = progress;
        string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
        var lines = new List<(string, string)>();
        switch (stage)
        {
            case "generate":
                var samples = await _data.GenerateAsync(cancel).ConfigureAwait(false);
                lines.Add(("samples", Text(samples.Count)));
                lines.Add(("truncated", Text(samples.Count(sample => sample.Completion.Truncated))));
                break;
            case "judge":
                var judged = await _data.JudgeAsync(cancel).ConfigureAwait(false);
                lines.Add(("well-formed", Text(judged.Count(item => item.FormatReason is null))));
                lines.Add(("passed by every run", Text(judged.Count(item => item.Judgement?.Min == 1))));
                lines.Add(("unscored", Text(judged.Count(item => item.FormatReason is null && item.Judgement?.Min is null))));
                break;
            case "distill":
                var distilled = await _data.DistillAsync(cancel).ConfigureAwait(false);
                lines.Add(("training examples", $"{distilled.Kept.Count} in {_run.PathOf("training.jsonl")}"));
                lines.Add(("rejected", $"{distilled.Rejected.Count} in {_run.PathOf("rejected.jsonl")}"));
                lines.AddRange(distilled.Survival.Select(row => ($"{row.Category}, {row.Action}", $"{row.Kept} of {row.Total}")));
                break;
            case "sft" or "rl":
                foreach (var arm in _run.Options.Arms.Where(arm => stage == "sft" ? arm is Arms.Sft or Arms.InstantRefusal : arm is Arms.RlOnly or Arms.SftRl))
                {
                    var model = (await TrainedAsync(arm, cancel).ConfigureAwait(false))!;
                    lines.Add((arm, $"{model.Log.Steps} steps, {_arms.PathOf(arm)}"));
                    lines.AddRange(model.Log.Alarms.Select(alarm => ($"{arm}, alarm at step {alarm.Step}", $"{alarm.Kind}: {alarm.Detail}")));
                    lines.AddRange(model.Log.Notes.Select(note => (arm, note)));
                }

                break;
            case "eval":
                foreach (var arm in _run.Options.Arms)
                    lines.AddRange((await EvaluateAsync(arm, cancel).ConfigureAwait(false)).Metrics.Select(metric => ($"{arm}, {metric.Key}", metric.Value.ToString())));
                break;
            case "report":
                var report = await RunAsync(progress, cancel).ConfigureAwait(false);
                lines.Add(("arms", Text(report.Arms.Count)));
                lines.Add(("report", _run.PathOf("report.json")));
                break;
            default:
                throw new AlignmentException($"there is no stage '{stage}'; the stages are {string.Join(", ", StageNames)}.");
        }

        return lines;
    }

    /// <inheritdoc/>
    public void Dispose() => _run.Dispose();

    /// <summary>Runs some work while stages report to this listener.</summary>
    internal Task<T> ListeningAsync<T>(IProgress<StageProgress>? listener, Func<Task<T>> work)
    {
        _listener = listener;
        return work();
    }

    internal EvalStage Eval => _eval ??= new(_run, _clock, _progress);

    // The arm whose end the judge is tested at.
    private string? Reinforced => _run.Options.Arms.Contains(Arms.SftRl) ? Arms.SftRl : _run.Options.Arms.Contains(Arms.RlOnly) ? Arms.RlOnly : null;

    private static bool NeedsData(string arm) => arm is Arms.Sft or Arms.InstantRefusal or Arms.SftRl;

    /// <summary>The trained model of an arm; null for the arms that are the base model.</summary>
    internal async Task<ArmModel?> TrainedAsync(string arm, CancellationToken cancel)
    {
        switch (arm)
        {
            case Arms.Sft or Arms.InstantRefusal:
                var examples = (await _data.DistillAsync(cancel).ConfigureAwait(false)).Kept;
                return await new SftStage(_run, _clock, _arms, _progress).TrainAsync(arm, examples, cancel).ConfigureAwait(false);
            case Arms.SftRl:
                var sft = (await TrainedAsync(Arms.Sft, cancel).ConfigureAwait(false))!;
                return await new RlStage(_run, _clock, _arms, _progress).TrainAsync(arm, sft.Weights, (await _data.DistillAsync(cancel).ConfigureAwait(false)).Kept, cancel).ConfigureAwait(false);
            case Arms.RlOnly:
                return await new RlStage(_run, _clock, _arms, _progress).TrainAsync(arm, _run.Base.Weights, [], cancel).ConfigureAwait(false);
            default:
                return null;
        }
    }

    private async Task<ArmEvaluation> EvaluateAsync(string arm, CancellationToken cancel)
    {
        var weights = (await TrainedAsync(arm, cancel).ConfigureAwait(false))?.Weights ?? _run.Base.Weights;
        return await Eval.EvaluateAsync(arm, weights, cancel).ConfigureAwait(false);
    }
}
