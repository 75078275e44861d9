using Deliberate.Conversations;
using Deliberate.Evaluation;
using Deliberate.Generation;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.Oracle;
using Deliberate.Miniature.Prompts;
using Deliberate.Runs;

namespace Deliberate.Pipeline.Stages;

/// <summary>One evaluated answer, as the run's folder keeps it.</summary>
internal sealed record EvaluatedAnswer(
    string Suite, int Group, string Wrapper, string Request, string ExpectedAction, string? ExpectedClause, string Thinking, string Answer, bool RightAction, string Fault);

/// <summary>An arm's answers to all held-out prompts.</summary>
/// <param name="Completions">In the order of the items.</param>
/// <param name="Metrics">Metrics by their documented names.</param>
internal sealed record ArmEvaluation(IReadOnlyList<Completion> Completions, IReadOnlyDictionary<string, Metric> Metrics);

/// <summary>Asks an arm every held-out prompt, greedily, and has the oracle measure the answers.</summary>
internal sealed class EvalStage(RunContext run, StageClock clock, IProgress<StageProgress>? progress)
{
    /// <summary>The held-out prompts, the same for every arm.</summary>
    public IReadOnlyList<SuiteItem> Items { get; } = Suites.Build(run.World, run.Seed("evaluation"), run.Sizes.SuiteSize, run.Sizes.Jailbroken);

    /// <summary>Measures an arm.</summary>
    public Task<ArmEvaluation> EvaluateAsync(string arm, ModelWeights weights, CancellationToken cancel) =>
        clock.RunAsync("eval", arm, () => run.Store.TryLoad<ArmEvaluation>($"eval-{arm}", run.Key, out var done) ? done : null, async () =>
        {
            using var generator = new Generator(weights);
            using var local = new LocalChatClient(generator, new ChatFormat(run.Base.Tokenizer), new() { ModelId = arm, Thinking = arm != Arms.InstantRefusal, MaxOutputTokens = Limits.CompletionTokens });
            // The arms that are the base model are measured where it is.
            var client = arm is Arms.Base or Arms.BaseWithPolicy && run.Clients.Base.Flow is not null ? run.Clients.Base.For("eval") : local;
            var asker = new SampleGenerator(client, new MiniatureGenerationFormat(), new(1, Temperature: 0, MaxTokens: Limits.CompletionTokens, Seed: run.Seed("evaluate")));
            var prompts = WorldPrompts.Of("eval", [.. Items.Select(item => item.Request)]);
            var counter = new Counter(done => progress?.Report(new("eval", arm, done, prompts.Count, "answers")));
            var samples = arm == Arms.BaseWithPolicy
                ? await asker.GenerateAsync(prompts, _ => run.Whole, null, counter, cancel).ConfigureAwait(false)
                : await asker.AnswerAsync(prompts, null, counter, cancel).ConfigureAwait(false);
            Completion[] completions = [.. samples.Select(sample => sample.Completion)];
            var outcomes = Items.Select((item, i) => Outcome.Of(run.World, item.Request, completions[i])).ToArray();
            JsonLines.Write(run.PathOf($"answers-{arm}.jsonl"), Items.Zip(outcomes, (item, outcome) => new EvaluatedAnswer(
                item.Suite.ToString(), item.Group, item.Request.Wrapper.ToString(), item.Request.Text, Policies.PolicyActions.ToText(item.Ruling.Action), item.Ruling.Clause?.Code,
                outcome.Completion.Thinking, outcome.Completion.Answer, outcome.RightAction, outcome.Fault.ToString())));
            var result = new ArmEvaluation(completions, ArmMetrics.Of(Items, outcomes, run.World, run.Seed("bootstrap")));
            run.Store.Save($"eval-{arm}", run.Key, result);
            return result;
        }, result => result.Completions.Count);
}
