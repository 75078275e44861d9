using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.Prompts;
using Deliberate.Policies;

namespace Deliberate.Pipeline.Stages;

/// <summary>
/// From prompts to training examples (paper, section 2.3): the base model answers with spec(category) in context, the format filter
/// and the judge sort its answers, and distillation strips the specification from those that are kept.
/// </summary>
internal sealed class DataStages(RunContext run, StageClock clock, IProgress<StageProgress>? progress)
{
    private IReadOnlyList<Sample>? _samples;
    private IReadOnlyList<JudgedSample>? _judged;
    private DistillationResult? _distilled;

    /// <summary>What training may ask: prompts of every category and act, benign ones, and capability prompts in every wrapper.</summary>
    public IReadOnlyList<Prompt> Prompts { get; } =
    [
        .. WorldPrompts.Of("train", TrainingPrompts.Draw(run.World, run.Seed("prompts"), run.Sizes.Prompts, run.Sizes.BenignShare)),
        .. WorldPrompts.Of("capability", TrainingPrompts.Capability(run.World, run.Seed("capability"), run.Sizes.CapabilityPrompts)),
    ];

    /// <summary>Draws samples with the specification in context.</summary>
    public async Task<IReadOnlyList<Sample>> GenerateAsync(CancellationToken cancel) => _samples ??= (await clock.RunAsync("generate", null, () => null, async () =>
    {
        using var log = run.Store.OpenLog<Sample>("generate", run.Key);
        var generator = new SampleGenerator(run.Clients.Base.For("generate"), new MiniatureGenerationFormat(),
            new(run.Sizes.Samples, Temperature: run.Sizes.SampleTemperature, MaxTokens: Limits.CompletionTokens, Seed: run.Seed("generate")));
        var total = Prompts.Count * run.Sizes.Samples;
        var samples = await generator.GenerateAsync(Prompts, prompt => run.Spec(prompt.Category!), log,
            new Counter(done => progress?.Report(new("generate", null, done, total, "samples"))), cancel).ConfigureAwait(false);
        return (List<Sample>)[.. samples];
    }, samples => samples.Count).ConfigureAwait(false));

    /// <summary>Filters by form and has the judge, who sees specification, thought and answer, judge the rest.</summary>
    public async Task<IReadOnlyList<JudgedSample>> JudgeAsync(CancellationToken cancel)
    {
        if (_judged is not null) return _judged;
        var samples = await GenerateAsync(cancel).ConfigureAwait(false);
        var filter = new FormatFilter();
        var reasons = samples.Select(sample => filter.Reason(sample.Completion, SpecOf(sample))).ToArray();
        var judgements = await clock.RunAsync("judge", null, () => null, async () =>
        {
            using var log = run.Store.OpenLog<Verdict>("judge", run.Key);
            var judge = new Judge(run.Clients.Judge.For("judge"), new MiniatureJudgeFormat(),
                new(run.Sizes.JudgeRuns, Temperature: run.Sizes.JudgeTemperature, MaxTokens: Limits.VerdictTokens, Seed: run.Seed("judge")));
            (FullView, Spec, string)[] items = [.. samples.Where((_, i) => reasons[i] is null).Select(sample => (FullView.Of(sample.Prompt.Conversation, sample.Completion), SpecOf(sample), sample.Id))];
            var total = items.Length * run.Sizes.JudgeRuns;
            var verdicts = await judge.JudgeAsync(items, log, new Counter(done => progress?.Report(new("judge", null, done, total, "verdicts"))), cancel).ConfigureAwait(false);
            return (List<Judgement>)[.. verdicts];
        }, verdicts => verdicts.Count * run.Sizes.JudgeRuns).ConfigureAwait(false);
        var next = 0;
        return _judged = [.. samples.Select((sample, i) => new JudgedSample(sample, SpecOf(sample), reasons[i] is null ? judgements[next++] : null, reasons[i], Action(sample)))];
    }

    /// <summary>Selects, strips the specification, and writes training examples and rejected samples with their reasons.</summary>
    public async Task<DistillationResult> DistillAsync(CancellationToken cancel)
    {
        if (_distilled is not null) return _distilled;
        var judged = await JudgeAsync(cancel).ConfigureAwait(false);
        return _distilled = await clock.RunAsync("distill", null, () => null, () =>
        {
            var result = new Distiller(new()).Distill(judged);
            TrainingFile.Write(run.PathOf("training.jsonl"), result.Kept);
            RejectedFile.Write(run.PathOf("rejected.jsonl"), result.Rejected);
            progress?.Report(new("distill", null, judged.Count, judged.Count, "samples", $"{result.Kept.Count} kept"));
            return result.Kept.Count > 0 ? Task.FromResult(result)
                : throw new AlignmentException($"no sample survived the judge: nothing to train on. The reasons are in {run.PathOf("rejected.jsonl")}.");
        }, result => result.Kept.Count + result.Rejected.Count).ConfigureAwait(false);
    }

    private Spec SpecOf(Sample sample) => run.Spec(sample.Prompt.Category!);

    // For the count of survivors by action only.
    private static string? Action(Sample sample) => Answers.Read(sample.Completion.Answer).Kind switch
    {
        AnswerKind.Comply => PolicyAction.Comply.ToText(),
        AnswerKind.Refuse => PolicyAction.Refuse.ToText(),
        AnswerKind.SafeComplete => PolicyAction.SafeComplete.ToText(),
        _ => null,
    };
}
