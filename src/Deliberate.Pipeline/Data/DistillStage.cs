using Deliberate.Distillation;
using Deliberate.Evaluation;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Runs;

namespace Deliberate.Pipeline.Data;

/// <summary>How many samples became training examples.</summary>
internal sealed record DistilledCounts(string Key, int Kept, int Rejected);

/// <summary>Selects, strips the specification and checks for leaks (paper, section 2.3.3): <c>training.jsonl</c>, <c>rejected.jsonl</c> and <c>data-card.md</c>.</summary>
internal sealed class DistillStage(DataContext run, IProgress<StageProgress>? progress)
{
    public const string File = "training.jsonl", RejectedName = "rejected.jsonl", CardName = "data-card.md";

    /// <exception cref="AlignmentException">No sample survives.</exception>
    public DistilledCounts Distill(CallResults judged)
    {
        var options = run.Options;
        var key = StageKey.Of("distilled-1", judged.Key, judged.Made, judged.Odd, options.Threshold, options.KeepPerPrompt);
        if (run.Finished<DistilledCounts>("distill", key, File) is { } done) return done;
        // Gone through once for each file, prompt by prompt: that is cheap, and nothing is held.
        var (kept, rejected) = (0, 0);
        TrainingFile.Write(run.PathOf(File), Results().SelectMany(result => result.Kept).Select(example => Counted(example, ref kept)));
        RejectedFile.Write(run.PathOf(RejectedName), Results().SelectMany(result => result.Rejected).Select(sample => Counted(sample, ref rejected)));
        AtomicFile.WriteText(run.PathOf(CardName), DataCard.Write($"Data card of {Path.GetFileName(Path.GetFullPath(options.Out))}", Results().SelectMany(result => result.Kept), Results().SelectMany(result => result.Rejected)));
        progress?.Report(new("distill", null, kept + rejected, kept + rejected, "samples", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{kept} kept")));
        if (kept == 0) throw new AlignmentException($"no sample survived the judge: there is nothing to train on. The reasons are in {run.PathOf(RejectedName)}.");
        return run.Finish("distill", key, new DistilledCounts(key, kept, rejected));
    }

    private static T Counted<T>(T item, ref int count)
    {
        count++;
        return item;
    }

    private IEnumerable<DistillationResult> Results()
    {
        var distiller = new Distiller(new() { Threshold = run.Options.Threshold, KeepPerPrompt = run.Options.KeepPerPrompt });
        var ofPrompt = new List<JudgedSample>();
        foreach (var line in JsonLines.Stream<JudgedLine>(run.PathOf(VerdictStage.File)))
        {
            if (ofPrompt.Count > 0 && ofPrompt[0].Sample.Prompt.Id != line.Sample.Prompt.Id)
            {
                yield return distiller.Distill(ofPrompt);
                ofPrompt.Clear();
            }

            ofPrompt.Add(new(line.Sample, run.BaseWords.Spec(line.Sample.Prompt.Category), line.Judgement, line.FormatReason, ActionOf(line)));
        }

        if (ofPrompt.Count > 0) yield return distiller.Distill(ofPrompt);
    }

    // For the counts by action alone: a refusal by its words, else what the clauses that the thought cites ask for.
    private string ActionOf(JudgedLine line) => RefusalJudge.IsRefusal(line.Sample.Completion.Answer) ? PolicyAction.Refuse.ToText()
        : ClauseCitations.Find(line.Sample.Completion.Thinking).Any(code => run.Policy.Find(code)?.Action == PolicyAction.SafeComplete) ? PolicyAction.SafeComplete.ToText()
        : PolicyAction.Comply.ToText();
}
