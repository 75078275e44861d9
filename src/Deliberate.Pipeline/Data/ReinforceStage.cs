using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Evaluation;
using Deliberate.Generation;
using Deliberate.Inference.Models;
using Deliberate.Judging;
using Deliberate.Pipeline.Stages;
using Deliberate.Rewards;
using Deliberate.Runs;
using Deliberate.Training.Grpo;
using Deliberate.Training.Lora;

namespace Deliberate.Pipeline.Data;

/// <summary>What one step of reinforcement learning did.</summary>
/// <param name="Step">Its number, from 1.</param>
/// <param name="Reward">Mean reward of the rollouts that have one.</param>
/// <param name="Kl">Divergence from the model after SFT, nats a token.</param>
/// <param name="Entropy">Entropy of the policy, nats a token.</param>
/// <param name="Length">Mean length of a rollout, tokens.</param>
/// <param name="Refusals">Share of answers that begin like a refusal.</param>
/// <param name="Malformed">Share of rollouts that were cut, had no thought or no answer: they earn 0 unjudged.</param>
/// <param name="Flat">Share of prompts whose rollouts all earned the same, and so teach nothing.</param>
/// <param name="Unscored">Share of rollouts without a reward.</param>
/// <param name="Cited">Share of rollouts whose thought names a clause that the policy has, in brackets or not. It is measured and never rewarded: no reward may depend on what a thought says.</param>
internal sealed record RlLine(int Step, double Reward, double Kl, double Entropy, double Length, double Refusals, double Malformed, double Flat, double Unscored, double Cited = 0);

/// <summary>What reinforcement learning did.</summary>
/// <param name="Key">Names the model.</param>
/// <param name="Steps">Every step.</param>
internal sealed record ReinforcedModel(string Key, IReadOnlyList<RlLine> Steps);

/// <summary>
/// Reinforcement learning by GRPO (paper, section 2.4) of a model of this machine on the prompts: the judge sees the specification and the answer, never the thought.
/// Writes <c>models/sft+rl</c>, its adapter, <c>rl.jsonl</c> with a line a step, and <c>rollouts.jsonl</c>.
/// </summary>
internal sealed class ReinforceStage(DataContext run, IProgress<StageProgress>? progress)
{
    public const string File = "rl.jsonl", RolloutsFile = "rollouts.jsonl";
    private const int CheckpointEvery = 5;
    private static readonly FormatFilter Form = new();
    private ModelWeights? _weights; // the sampler's copy, made anew in the same memory after each step

    /// <exception cref="AlignmentException">There is nothing to learn from.</exception>
    public async Task<ReinforcedModel> TrainAsync(PreparedPrompts prompts, TunedModel tuned, CancellationToken cancel)
    {
        var options = run.Options.Tuning;
        var judged = options.Reward == RewardKind.Labels ? "labels" : $"{run.Clients.Judge.Name} {run.JudgeWords.Judging.Version}";
        var key = StageKey.Of("reinforced-1", tuned.Key, prompts.Key, judged, options.RlSteps, options.RlPrompts, options.GroupSize, options.RlLearningRate, options.Kl, options.RlTokens, run.Options.Seed);
        if (run.Finished<ReinforcedModel>("rl", key, Path.Combine("models", Arms.SftRl, "config.json")) is { } done) return done;
        var pool = Pool();
        using var model = Inference.Chat.LocalModel.Open(run.ModelFolder(Arms.Sft));
        using var trainer = new GrpoTrainer(model.Weights, Recipe());
        using var sampler = new RolloutSampler(model.Weights, model.Format, options.RlTokens);
        var scratch = run.PathOf(Path.Combine("checkpoints", $"rl-{key}"));
        var lines = new List<RlLine>();
        if (trainer.TryResume(scratch))
        {
            lines.AddRange(JsonLines.Read<RlLine>(run.PathOf(File)).Take((int)trainer.Steps));
            sampler.Load(_weights = trainer.Weights(_weights));
        }

        // Rollouts of steps that will be done again are dropped.
        JsonLines.Write(run.PathOf(RolloutsFile), System.IO.File.Exists(run.PathOf(RolloutsFile)) && lines.Count > 0 ? JsonLines.Stream<RolloutRecord>(run.PathOf(RolloutsFile)).Where(record => record.Step <= lines.Count).ToArray() : []);
        for (var step = lines.Count + 1; step <= options.RlSteps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            lines.Add(await StepAsync(step, pool, trainer, sampler, cancel).ConfigureAwait(false));
            JsonLines.Write(run.PathOf(File), lines);
            if (step % CheckpointEvery == 0) trainer.Save(scratch);
            var now = lines[^1];
            progress?.Report(new("rl", null, step, options.RlSteps, "steps", string.Create(CultureInfo.InvariantCulture, $"reward {now.Reward:0.000}, kl {now.Kl:0.000}, refusals {now.Refusals:0%}, flat {now.Flat:0%}")));
        }

        var folder = run.ModelFolder(Arms.SftRl);
        if (!options.Full) PeftFolder.Save(Path.Combine(folder, "adapter"), trainer.Adapter(), run.ModelFolder(Arms.Sft));
        ModelWriter.Write(folder, trainer.Weights(_weights), from: model.Path);
        return run.Finish("rl", key, new ReinforcedModel(key, lines));
    }

    private GrpoOptions Recipe()
    {
        var options = run.Options.Tuning;
        return new()
        {
            LearningRate = options.RlLearningRate ?? (options.Full ? 1e-6 : 1e-4),
            KlCoefficient = options.Kl,
            ConstantLength = options.RlTokens,
            Lora = options.Lora(run.Seed("rl-lora")),
            MicroBatchTokens = 1024,
            Packing = true,
            Device = options.Device,
        };
    }

    // With labels as the reward, only prompts whose label says what to do with them.
    private Prompt[] Pool()
    {
        var prompts = JsonLines.Read<Prompt>(run.PathOf(PromptStage.TrainFile));
        Prompt[] pool = run.Options.Tuning.Reward == RewardKind.Labels ? [.. prompts.Where(prompt => ToRefuse(prompt) is not null)] : [.. prompts];
        return pool.Length > 0 ? pool : throw new AlignmentException($"no prompt can be rewarded by its label: label them {string.Join(", ", ExpectedRefusalJudge.Refused)} or {string.Join(", ", ExpectedRefusalJudge.Answered)}, or use --reward judge.");
    }

    private static bool? ToRefuse(Prompt prompt) => prompt.Tags?.GetValueOrDefault("label") is not { } label ? null
        : ExpectedRefusalJudge.Refused.Contains(label) ? true : ExpectedRefusalJudge.Answered.Contains(label) ? false : null;

    private async Task<RlLine> StepAsync(int step, Prompt[] pool, GrpoTrainer trainer, RolloutSampler sampler, CancellationToken cancel)
    {
        var (options, seed) = (run.Options.Tuning, run.Seed("rl"));
        var random = new Random(unchecked((seed * 31) + step));
        Prompt[] prompts = [.. Enumerable.Range(0, options.RlPrompts).Select(i => pool[random.Next(pool.Length)] is var prompt ? prompt with { Id = string.Create(CultureInfo.InvariantCulture, $"{prompt.Id}/{i}") } : prompt)];
        var sampled = sampler.Sample(prompts, options.GroupSize, 1, seed + step, cancel);
        Prompt PromptOf(int i) => prompts[i / options.GroupSize];
        string IdOf(int i) => string.Create(CultureInfo.InvariantCulture, $"{step}/{i}");
        RewardItem[] items = [.. sampled.Select((item, i) => RewardItem.Of(IdOf(i), PromptOf(i).Conversation, item.Completion, run.JudgeWords.Spec(PromptOf(i).Category), Form))];
        IAnswerJudge judge = options.Reward == RewardKind.Labels
            ? new ExpectedRefusalJudge(id => ToRefuse(PromptOf(int.Parse(id.AsSpan(id.LastIndexOf('/') + 1), CultureInfo.InvariantCulture))) == true)
            : new Judge(run.Clients.Judge.For("rl"), run.JudgeWords.Judging, new(run.Options.JudgeRuns, MaxTokens: run.JudgeWords.VerdictTokens, Seed: seed, ThinkingOpened: run.Clients.Judge.ThinkingOpened));
        var rewards = await new AnswerReward(judge).ScoreAsync(items, null, cancel).ConfigureAwait(false);
        var (batch, records, flat) = (new List<Rollout>(), new List<RolloutRecord>(), 0);
        for (var group = 0; group < prompts.Length; group++)
        {
            var at = group * options.GroupSize;
            var advantages = Advantages.Of([.. Enumerable.Range(at, options.GroupSize).Select(i => rewards[i].Value)]);
            if (advantages.All(advantage => advantage is null or 0)) flat++;
            for (var i = 0; i < options.GroupSize; i++)
            {
                var item = sampled[at + i];
                records.Add(new(step, prompts[group].Id, i, prompts[group].Conversation.Request, item.Completion.Thinking, item.Completion.Answer, rewards[at + i].Value, advantages[i], RolloutRecord.ReasonsOf(rewards[at + i].Judgement, rewards[at + i].FormatReason)));
                if (advantages[i] is { } advantage && item.Tokens.Length > item.PromptLength) batch.Add(new(item.Tokens, item.PromptLength, advantage));
            }
        }

        var did = trainer.Step(batch);
        sampler.Load(_weights = trainer.Weights(_weights));
        await using (var stream = new FileStream(run.PathOf(RolloutsFile), FileMode.Append, FileAccess.Write))
            foreach (var record in records) JsonLines.Append(stream, record);
        return new(step, rewards.Where(reward => reward.Value is not null).Select(reward => reward.Value!.Value).DefaultIfEmpty(0).Average(), did.Kl, did.Entropy,
            sampled.Average(item => (double)(item.Tokens.Length - item.PromptLength)), sampled.Average(item => RefusalJudge.IsRefusal(item.Completion.Answer) ? 1.0 : 0),
            rewards.Average(reward => reward.FormatReason is null ? 0.0 : 1), (double)flat / prompts.Length, rewards.Average(reward => reward.Value is null ? 1.0 : 0),
            sampled.Average(item => ClauseCitations.Mentions(item.Completion.Thinking, run.Policy) ? 1.0 : 0));
    }
}
