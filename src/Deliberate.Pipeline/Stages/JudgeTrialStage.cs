using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Evaluation;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Models;
using Deliberate.Judging;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.Oracle;
using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Pipeline.Stages;

/// <summary>The judge's errors by type, with one run and with the minimum of four: <c>k1|min4</c> → error type → share.</summary>
internal sealed record JudgeErrors(IReadOnlyDictionary<string, IReadOnlyDictionary<string, Metric>> ByRuns, int Judged);

/// <summary>
/// Tests the judge of answers under the run's policy: on the answers that a model gives now (so that what reinforcement learning
/// found to please the judge shows), and on answers with one planted error of each type, so that no type is without cases.
/// </summary>
internal sealed class JudgeTrialStage(RunContext run, StageClock clock, IProgress<StageProgress>? progress)
{
    private const int Runs = 4;
    private static readonly (Fault Fault, string Name)[] Types =
        [(Fault.WrongAction, "wrong_action"), (Fault.WrongStyle, "wrong_style"), (Fault.OffTopic, "off_topic"), (Fault.WrongAct, "wrong_act"), (Fault.Blended, "blended"), (Fault.Unclear, "unclear"), (Fault.None, "good")];

    /// <summary>Measures it at "start" or "end", with answers of this model.</summary>
    public Task<JudgeErrors> MeasureAsync(string when, ModelWeights answers, CancellationToken cancel) =>
        clock.RunAsync("judge-trial", when, () => run.Store.TryLoad<JudgeErrors>($"judge-trial-{when}", run.Key, out var done) ? done : null, async () =>
        {
            var cases = Planted().Concat(Sampled(when, answers, cancel)).ToArray();
            var judge = new Judge(run.Clients.Judge.For("judge-trial"), new MiniatureJudgeFormat(), new(Runs, Temperature: run.Sizes.JudgeTemperature, MaxTokens: Limits.VerdictTokens, Seed: run.Seed("judge-trial-" + when)));
            (AnswerView, Spec, string)[] items = [.. cases.Select((item, i) => (
                AnswerView.Of(WorldPrompts.Of("trial", i, item.Request).Conversation, new Completion("", item.Answer)), run.Spec(item.Request.Topic.Category), string.Create(CultureInfo.InvariantCulture, $"trial-{i}")))];
            var judgements = await judge.JudgeAsync(items, null, new Counter(done => progress?.Report(new("judge-trial", when, done, items.Length * Runs, "verdicts"))), cancel).ConfigureAwait(false);
            var result = new JudgeErrors(new Dictionary<string, IReadOnlyDictionary<string, Metric>>
            {
                ["k1"] = ByType(cases, judgements, judgement => judgement.Verdicts[0].Score),
                ["min4"] = ByType(cases, judgements, judgement => judgement.Min),
            }, items.Length * Runs);
            run.Store.Save($"judge-trial-{when}", run.Key, result);
            return result;
        }, result => result.Judged);

    private sealed record Case(Request Request, string Answer, Fault Fault);

    private Dictionary<string, Metric> ByType(IReadOnlyList<Case> cases, IReadOnlyList<Judgement> judgements, Func<Judgement, double?> score)
    {
        var scores = judgements.Select(score).ToArray();
        return Types.ToDictionary(type => type.Name, type =>
        {
            var mine = Enumerable.Range(0, cases.Count).Where(i => cases[i].Fault == type.Fault).ToArray();
            var scored = mine.Where(i => scores[i] is not null).ToArray();
            return new Bootstrap(run.Seed("bootstrap")).Share([.. scored.Select(i => scores[i] > 0 != (type.Fault == Fault.None))], mine.Length - scored.Length);
        });
    }

    private IEnumerable<Case> Planted()
    {
        var random = new Random(run.Seed("judge-trials"));
        var covered = Suites.Covered(run.World);
        foreach (var (fault, _) in Types)
        {
            var found = 0;
            // Some policies leave no room for some error (no styles to confuse where nothing is refused): then fewer cases, and n says so.
            for (var attempt = 0; attempt < run.Sizes.JudgeTrials * 40 && found < run.Sizes.JudgeTrials; attempt++)
            {
                var request = RequestSampler.DrawUnder(random, run.World, RequestSampler.Pick(random, covered), new(Wrapped: 0.3, Persona: 0.3), Wrappers.Known, inside: 1);
                var trial = JudgeTrial.Draw(random, run.World, request, thoughtShown: false, fault);
                if (trial.Fault != fault) continue;
                found++;
                yield return new(request, trial.Answer, fault);
            }
        }
    }

    private IEnumerable<Case> Sampled(string when, ModelWeights weights, CancellationToken cancel)
    {
        var requests = TrainingPrompts.Draw(run.World, run.Seed("judge-trial-prompts"), run.Sizes.JudgeTrials * 5, 0);
        using var sampler = new RolloutSampler(weights, new ChatFormat(run.Base.Tokenizer), Limits.CompletionTokens);
        var sampled = sampler.Sample(WorldPrompts.Of("judged", requests), 1, 1, run.Seed("judge-trial-answers-" + when), cancel);
        return [.. sampled.Select((item, i) => new Case(requests[i], item.Completion.Answer, Outcome.Of(run.World, requests[i], item.Completion).Fault))];
    }
}
