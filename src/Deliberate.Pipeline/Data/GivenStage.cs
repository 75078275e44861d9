using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Prompts;
using Deliberate.Runs;

namespace Deliberate.Pipeline.Data;

/// <summary>
/// Takes finished examples of others, with their thoughts, in place of distilled ones: <c>training.jsonl</c>. Their makers judged them; the distiller checks
/// them for leaks as it does its own, and what has no thought or was cut is left out.
/// </summary>
internal sealed class GivenStage(DataContext run, IProgress<StageProgress>? progress)
{
    private static readonly FormatFilter Form = new();

    /// <exception cref="AlignmentException">No example is fit for training.</exception>
    /// <exception cref="InvalidDataException">A file cannot be read.</exception>
    public async Task<DistilledCounts> ReadAsync(CancellationToken cancel)
    {
        var key = StageKey.Of("given-1", run.Policy.Hash, run.Options.Examples.Select(DataContext.HashOf).ToArray(), run.Options.Decontaminate.Select(DataContext.HashOf).ToArray());
        if (run.Finished<DistilledCounts>("distill", key, DistillStage.File) is { } done) return done;
        EvaluationSets? evaluation = null;
        foreach (var file in run.Options.Decontaminate) await (evaluation ??= new()).AddAsync(file, cancellationToken: cancel).ConfigureAwait(false);
        var preparation = new PromptPreparation(new(NearDuplicate: 2, HeldOut: 0), evaluation);
        var samples = new List<JudgedSample>();
        foreach (var file in run.Options.Examples)
            await foreach (var prepared in preparation.RunAsync(PromptFile.ReadAsync(file, new(run.Options.Fields), cancel), cancel).ConfigureAwait(false))
                samples.Add(Judged(prepared));
        var result = new Distiller(new()).Distill(samples);
        TrainingFile.Write(run.PathOf(DistillStage.File), result.Kept);
        RejectedFile.Write(run.PathOf(DistillStage.RejectedName), result.Rejected);
        AtomicFile.WriteText(run.PathOf(DistillStage.CardName), DataCard.Write($"Data card of {Path.GetFileName(Path.GetFullPath(run.Options.Out))}", result.Kept, result.Rejected));
        progress?.Report(new("distill", null, samples.Count, samples.Count, "samples", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{result.Kept.Count} kept")));
        if (result.Kept.Count == 0) throw new AlignmentException($"no example of {string.Join(", ", run.Options.Examples)} is fit for training. The reasons are in {run.PathOf(DistillStage.RejectedName)}.");
        return run.Finish("distill", key, new DistilledCounts(key, result.Kept.Count, result.Rejected.Count));
    }

    private JudgedSample Judged(PreparedPrompt prepared)
    {
        var completion = prepared.Source.Given ?? new Completion("", "", false);
        var category = prepared.Source.Categories.Select(run.Policy.FindCategory).FirstOrDefault(found => found is not null)?.Id;
        var prompt = prepared.Prompt with { Category = category };
        var spec = run.BaseWords.Spec(category);
        var sample = new Sample(prompt, 0, completion, new(null, category, Path.GetFileName(prepared.Source.File), null, 0, 0, 0));
        return new(sample, spec, new Judgement([new Verdict(1, $"given by {Path.GetFileName(prepared.Source.File)}")]), Form.Reason(completion, spec),
            RefusalJudge.IsRefusal(completion.Answer) ? PolicyAction.Refuse.ToText() : PolicyAction.Comply.ToText());
    }
}
