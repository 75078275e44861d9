using Deliberate.Conversations;
using Deliberate.Endpoints.Flow;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Judging.Calibration;
using Deliberate.Runs;

namespace Deliberate.Pipeline.Data;

/// <summary>A sample with its verdicts, as the run's folder keeps it.</summary>
internal sealed record JudgedLine(Sample Sample, string? FormatReason, Judgement? Judgement);

/// <summary>Sieves samples by form and has the judge, who sees specification, thought and answer, judge the rest (paper, section 2.3.2): <c>judged.jsonl</c>.</summary>
internal sealed class VerdictStage(DataContext run, IProgress<StageProgress>? progress)
{
    public const string File = "judged.jsonl";
    private static readonly FormatFilter Form = new();

    /// <exception cref="AlignmentException">The judge was measured and may not train, or the stage cannot go on.</exception>
    public async Task<CallResults> JudgeAsync(CallResults samples, CancellationToken cancel)
    {
        RequireFitness();
        var options = run.Options;
        var key = StageKey.Of("judged-1", samples.Key, samples.Made, run.Clients.Judge.Name, run.JudgeWords.Judging.Version, options.JudgeRuns, options.SpecTokens, options.Seed);
        if (run.Finished<CallResults>("judge", key, File) is { } done && (done.Failures == 0 || !options.Models.RetryFailed)) return done;
        var judge = Judge();
        var failures = new CallFailures(run.Clients.Judge.Name);
        var (made, unscored) = (0, 0);
        var paced = new PacedProgress(progress, "judge", null, samples.Made, "samples", run.Clients.Judge.Told);
        await JsonLines.WriteAsync(run.PathOf(File), Judged(), cancel).ConfigureAwait(false);
        return run.Finish("judge", key, new CallResults(key, made, failures.Reasons, unscored));

        async IAsyncEnumerable<JudgedLine> Judged()
        {
            var window = Math.Max(SampleStage.Window(run.Clients.Judge.Flow) / options.JudgeRuns, 1);
            await foreach (var line in OrderedStream.RunAsync(JsonLines.Stream<Sample>(run.PathOf(SampleStage.File)), window, JudgeOneAsync, cancel).ConfigureAwait(false))
            {
                made++;
                if (line.FormatReason is null && line.Judgement?.Min is null) unscored++;
                paced.Report(made);
                yield return line;
            }
        }

        async Task<JudgedLine> JudgeOneAsync(Sample sample, CancellationToken token)
        {
            if (Form.Reason(sample.Completion, run.BaseWords.Spec(sample.Prompt.Category)) is { } reason) return new(sample, reason, null);
            var judgement = await failures.TryAsync(() => judge.JudgeAsync(FullView.Of(sample.Prompt.Conversation, sample.Completion), run.JudgeWords.Spec(sample.Prompt.Category), sample.Id, token), counted: false).ConfigureAwait(false);
            var failed = judgement!.Verdicts.Where(verdict => verdict.Kind == VerdictKinds.Failed).Select(verdict => verdict.Reason).ToArray();
            failures.Note(judgement.Verdicts.Count - failed.Length, failed);
            return new(sample, null, judgement);
        }
    }

    /// <summary>What the calls may take, if every sample is well-formed.</summary>
    public RunEstimate? Estimate(string model)
    {
        if (run.Clients.Judge.Flow is not { } flow) return null;
        var options = new Microsoft.Extensions.AI.ChatOptions { MaxOutputTokens = run.JudgeWords.VerdictTokens };
        return flow.Estimate(JsonLines.Stream<Sample>(run.PathOf(SampleStage.File)).SelectMany(sample =>
        {
            var question = run.JudgeWords.Judging.Ask(FullView.Of(sample.Prompt.Conversation, sample.Completion), run.JudgeWords.Spec(sample.Prompt.Category));
            return Enumerable.Repeat(new ChatCall(sample.Id, question.Messages, options), run.Options.JudgeRuns);
        }), model);
    }

    private Judge Judge() => new(run.Clients.Judge.For("judge"), run.JudgeWords.Judging, new(
        run.Options.JudgeRuns, MaxTokens: run.JudgeWords.VerdictTokens, Seed: run.Seed("judge"), ThinkingOpened: run.Clients.Judge.ThinkingOpened));

    private void RequireFitness()
    {
        if (run.Options.Calibration is not { } report) return;
        try
        {
            new JudgeGate().Require(report, run.Options.EvenSo);
        }
        catch (JudgeGateException problem)
        {
            throw new AlignmentException($"{problem.Message} That is --even-so.", problem);
        }
    }
}
