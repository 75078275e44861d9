using System.Globalization;

namespace Deliberate.Pipeline.Data;

/// <summary>
/// The data engine: prompts of a user's files through generate, judge and distill, and the measurement on what is held out, with any chat models
/// (paper, section 2.3). Every response of an endpoint is kept in the run store before it counts; samples stream from file to file, so that memory does not
/// grow with their number. The same command goes on where an earlier one stopped.
/// </summary>
/// <remarks>Not thread-safe. One process at a time holds a run's folder; dispose to let it go.</remarks>
public sealed class DataRun : IDisposable
{
    private readonly DataContext _run;

    private DataRun(DataContext run) => _run = run;

    /// <summary>The stages in order.</summary>
    public static IReadOnlyList<string> StageNames { get; } = ["generate", "judge", "distill", "sft", "rl", "eval"];

    /// <summary>Opens a run, new or begun earlier.</summary>
    /// <exception cref="AlignmentException">A model cannot be opened, the grader is the judge, or the folder is in use or belongs to another run.</exception>
    /// <exception cref="Policies.PolicyException">The policy cannot be read.</exception>
    /// <exception cref="Endpoints.Models.ModelSettingsException">A named key is not set.</exception>
    public static DataRun Open(DataOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Calibration is { } report && options.Models.Judge is { } judge && report.Judge != judge.Name.ToString())
            throw new AlignmentException($"the calibration is that of '{report.Judge}', and the judge is {judge.Name}: calibrate this one.");
        return new(DataContext.Open(options));
    }

    /// <summary>Runs a stage and what it needs, and says in a few lines what came of it.</summary>
    /// <returns>The lines, and how many calls failed for good.</returns>
    /// <exception cref="AlignmentException">There is no such stage, or it cannot go on.</exception>
    /// <exception cref="InvalidDataException">A file of prompts cannot be read; the message names file, row and field.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what is finished is kept.</exception>
    public async Task<(IReadOnlyList<(string Name, string Value)> Lines, int Failed)> StageAsync(string stage, IProgress<StageProgress>? progress = null, CancellationToken cancel = default)
    {
        if (!StageNames.Contains(stage)) throw new AlignmentException($"prompts of files go through {string.Join(", ", StageNames)}.");
        var prompts = await new PromptStage(_run, progress).PrepareAsync(cancel).ConfigureAwait(false);
        var lines = new List<(string, string)> { ("prompts", Told(prompts)) };
        if (_run.Clients.Base.Prompts is { } means) lines.Add(("prompts computed by", means));
        if (stage == "eval")
        {
            var figures = await new GradeStage(_run, progress).GradeAsync(prompts, cancel).ConfigureAwait(false);
            lines.AddRange(figures.Arms.SelectMany(arm => arm.Value.Select(metric => ($"{arm.Key}, {metric.Key}", metric.Value.ToString()))));
            lines.AddRange(figures.Difference.Select(metric => (metric.Key, metric.Value.ToString())));
            if (figures.Grader is null) lines.Add(("grader", "none: what follows the policy is not measured; name one with --grader"));
            AddFailures(lines, "eval", figures.Failed);
            return (lines, figures.Failed.Values.Sum());
        }

        if (_run.Options.Examples.Count > 0)
        {
            var given = await new GivenStage(_run, progress).ReadAsync(cancel).ConfigureAwait(false);
            lines.Add(("training examples", Text($"{given.Kept} given, {given.Rejected} rejected in {_run.PathOf(DistillStage.RejectedName)}")));
            return (await TrainAsync(stage, lines, prompts, given, progress, cancel).ConfigureAwait(false), 0);
        }

        var samples = await new SampleStage(_run, progress).GenerateAsync(prompts, cancel).ConfigureAwait(false);
        lines.Add(("samples", Text($"{samples.Made}, {samples.Odd} truncated")));
        var failed = AddFailures(lines, "generate", samples.Failed);
        if (stage == "generate") return (lines, failed);
        var judged = await new VerdictStage(_run, progress).JudgeAsync(samples, cancel).ConfigureAwait(false);
        lines.Add(("judged", Text($"{judged.Made}, {judged.Odd} unscored")));
        if (_run.Options.Calibration is null) lines.Add(("calibration", "none: measure the judge against people with `deliberate judge calibrate --out FILE` and give --calibration FILE"));
        failed += AddFailures(lines, "judge", judged.Failed);
        if (stage == "judge") return (lines, failed);
        var distilled = new DistillStage(_run, progress).Distill(judged);
        lines.Add(("training examples", Text($"{distilled.Kept} in {_run.PathOf(DistillStage.File)}")));
        lines.Add(("rejected", Text($"{distilled.Rejected} in {_run.PathOf(DistillStage.RejectedName)}")));
        lines.Add(("data card", _run.PathOf(DistillStage.CardName)));
        return (await TrainAsync(stage, lines, prompts, distilled, progress, cancel).ConfigureAwait(false), failed);
    }

    private async Task<List<(string, string)>> TrainAsync(string stage, List<(string, string)> lines, PreparedPrompts prompts, DistilledCounts examples, IProgress<StageProgress>? progress, CancellationToken cancel)
    {
        if (stage is not ("sft" or "rl")) return lines;
        var tuned = await TuneAsync(Arms.Sft).ConfigureAwait(false);
        if (_run.Options.Tuning.Instant) await TuneAsync(Arms.InstantRefusal).ConfigureAwait(false);
        if (stage == "sft") return lines;
        var reinforced = await new ReinforceStage(_run, progress).TrainAsync(prompts, tuned, cancel).ConfigureAwait(false);
        lines.Add(("rl", Text($"{reinforced.Steps.Count} steps, reward {reinforced.Steps.Take(5).Average(step => step.Reward):0.000} (first 5) to {reinforced.Steps.TakeLast(5).Average(step => step.Reward):0.000} (last 5); {_run.ModelFolder(Arms.SftRl)}")));
        return lines;

        async Task<TunedModel> TuneAsync(string arm)
        {
            var tuned = await Task.Run(() => new TuneStage(_run, progress).Train(examples, arm, cancel), cancel).ConfigureAwait(false);
            lines.Add((arm, Text($"{tuned.Rows} examples in {tuned.Losses.Count} steps, loss {tuned.Losses[0]:0.000} to {tuned.Losses.TakeLast(5).Average():0.000}; {_run.ModelFolder(arm)}")));
            if (tuned.Computed is { } type) lines.Add(($"{arm}, computed in", type));
            lines.AddRange(tuned.Left.Select(entry => ($"{arm}, left out", Text($"{entry.Value} {entry.Key}"))));
            return tuned;
        }
    }

    /// <summary>The first examples as the base model would see them in training, with the parts that the loss covers: thought, answer and end of turn.</summary>
    /// <exception cref="AlignmentException">The base model cannot be trained here, or no example survives.</exception>
    /// <exception cref="Inference.Templates.TemplateException">The template cannot show an example.</exception>
    public async Task<IReadOnlyList<Inference.Templates.MaskedPrompt>> MasksAsync(int count, IProgress<StageProgress>? progress = null, CancellationToken cancel = default)
    {
        await StageAsync("distill", progress, cancel).ConfigureAwait(false);
        return new TuneStage(_run, progress).Masks(count);
    }

    /// <summary>Whether the base model can be trained here: one of this machine with a chat template.</summary>
    public bool CanTrain => _run.CanTrain;

    /// <summary>What the stages may take, with not one call made: calls, tokens and money. Responses that the store has already cost nothing, and are counted all the same.</summary>
    public async Task<IReadOnlyList<(string Name, string Value)>> EstimateAsync(CancellationToken cancel = default)
    {
        const string Free = "a model of this machine: nothing is paid for";
        var (prompts, nameless) = await new PromptStage(_run, null).PeekAsync(cancel).ConfigureAwait(false);
        return
        [
            ("prompts", Text($"{prompts.Count} to train on")),
            ("label", nameless == 0 ? "no call: every prompt has its category" : Text($"{nameless} short calls for prompts without a category of the policy")),
            ("generate", new SampleStage(_run, null).Estimate(prompts, ModelOf(_run.Options.Models.Base))?.ToString() ?? Free),
            ("judge", !File.Exists(_run.PathOf(SampleStage.File)) ? Text($"{prompts.Count * _run.Options.Samples * _run.Options.JudgeRuns} calls at most; tokens are known when generate is done")
                : new VerdictStage(_run, null).Estimate(ModelOf(_run.Options.Models.Judge ?? _run.Options.Models.Base))?.ToString() ?? Free),
        ];
    }

    /// <inheritdoc/>
    public void Dispose() => _run.Dispose();

    private static string ModelOf(Endpoints.Models.ModelSettings? settings) => settings?.Name.Model ?? "";

    private static string Told(PreparedPrompts prompts) => Text($"{prompts.Train} to train on, {prompts.HeldOut} held out; category given for {prompts.Given}, labelled {prompts.Labelled}, left out without one {prompts.Unlabelled} ({prompts.Report})");

    private static int AddFailures(List<(string, string)> lines, string stage, IReadOnlyDictionary<string, int> failed)
    {
        lines.AddRange(failed.Select(entry => ($"failed calls, {stage}", Text($"{entry.Value} {entry.Key}"))));
        return failed.Values.Sum();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
