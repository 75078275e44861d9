using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Evaluation;
using Deliberate.Generation;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Models;
using Deliberate.Judging;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.Oracle;
using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Deliberate.Reports;
using Deliberate.Rewards;
using Deliberate.Runs;
using Deliberate.Training.Grpo;

namespace Deliberate.Pipeline.Stages;

/// <summary>
/// Reinforcement learning (paper, section 2.4) by GRPO. The reward of a safety prompt is the judge's, who reads the specification,
/// the prompt and the answer and never the thought; the reward of a capability prompt is whether the answer is the expected one.
/// </summary>
internal sealed class RlStage(RunContext run, StageClock clock, ArmStore store, IProgress<StageProgress>? progress)
{
    private const int CheckpointEvery = 4, OracleEvery = 6, PatienceWhenFlat = 6, MixedRows = 16;
    private const double CapabilityShare = 0.2;
    private static readonly FormatFilter Form = new();

    /// <summary>Trains <see cref="Arms.RlOnly"/> or <see cref="Arms.SftRl"/>.</summary>
    /// <param name="arm">The arm.</param>
    /// <param name="start">The model to start from, which the KL term holds to.</param>
    /// <param name="examples">What SFT taught, mixed in; none for an arm without SFT.</param>
    /// <param name="cancel">Stops after the current step; a checkpoint is kept.</param>
    public Task<ArmModel> TrainAsync(string arm, ModelWeights start, IReadOnlyList<TrainingExample> examples, CancellationToken cancel) =>
        clock.RunAsync("rl", arm, () => store.TryLoad(arm), async () => store.Save(arm, await ReinforceAsync(arm, start, examples, cancel).ConfigureAwait(false)), model => model.Log.Steps);

    private sealed record Progress(IReadOnlyList<RlFigures> Figures, double[] Weights);

    private async Task<ArmModel> ReinforceAsync(string arm, ModelWeights start, IReadOnlyList<TrainingExample> examples, CancellationToken cancel)
    {
        var sizes = run.Sizes;
        var pool = TrainingPrompts.Draw(run.World, run.Seed("rl-prompts"), sizes.RlPool, sizes.BenignShare);
        var capability = TrainingPrompts.Capability(run.World, run.Seed("rl-capability"), sizes.RlPool / 3);
        var validation = Suites.Build(run.World, run.Seed("rl-validation"), sizes.Validation, 0, Side.Validation);
        var rows = TrainingRows.Of(examples, run.Base.Tokenizer);
        var seed = run.Seed("rl-" + arm);
        var scratch = store.Scratch(arm);
        using var trainer = new GrpoTrainer(start, sizes.Grpo);
        using var sampler = new RolloutSampler(start, new ChatFormat(run.Base.Tokenizer), Limits.CompletionTokens);
        ModelWeights? copy = null; // the sampler's, made anew in the same memory after each step
        var weights = new PromptWeights(pool);
        var figures = new List<RlFigures>();
        var reward = new AnswerReward(new Judge(run.Clients.Judge.For("rl"), new MiniatureJudgeFormat(), new(sizes.RlJudgeRuns, Temperature: sizes.JudgeTemperature, MaxTokens: Limits.VerdictTokens, Seed: seed)));
        if (trainer.TryResume(scratch))
        {
            var earlier = JsonLines.Read<Progress>(ProgressPath(scratch, trainer.Steps))[0];
            figures.AddRange(earlier.Figures);
            earlier.Weights.CopyTo(weights.State, 0);
            sampler.Load(copy = trainer.Weights(copy));
        }

        var rollouts = run.PathOf($"rollouts-{arm}.jsonl");
        Truncate(rollouts, figures.Count);
        string? stopped = null;
        for (var step = figures.Count + 1; step <= sizes.RlSteps && stopped is null; step++)
        {
            cancel.ThrowIfCancellationRequested();
            var random = new Random(unchecked(seed * 31 + step));
            var (prompts, requests, indices) = Choose(random, step, pool, weights, capability);
            var sampled = sampler.Sample(prompts, sizes.GroupSize, 1, seed + step, cancel);
            var rewards = await RewardAsync(step, prompts, requests, sampled, reward, cancel).ConfigureAwait(false);
            var records = new List<RolloutRecord>();
            var batch = new List<Rollout>();
            var flat = 0;
            for (var group = 0; group < prompts.Length; group++)
            {
                var range = Enumerable.Range(group * sizes.GroupSize, sizes.GroupSize).ToArray();
                var advantages = Advantages.Of([.. range.Select(i => rewards[i].Value)]);
                if (advantages.All(advantage => advantage is null or 0)) flat++;
                if (indices[group] >= 0 && range.Any(i => rewards[i].Value is not null)) weights.Learn(indices[group], range.Average(i => rewards[i].Value) ?? 0);
                for (var i = 0; i < range.Length; i++)
                {
                    var item = sampled[range[i]];
                    records.Add(new(step, prompts[group].Id, i, requests[group].Text, item.Completion.Thinking, item.Completion.Answer, rewards[range[i]].Value, advantages[i], rewards[range[i]].Reasons));
                    if (advantages[i] is { } advantage && item.Tokens.Length > item.PromptLength) batch.Add(new(item.Tokens, item.PromptLength, advantage));
                }
            }

            TokenRow[] mixed = rows.Length == 0 ? [] : [.. Enumerable.Range(0, MixedRows).Select(_ => rows[random.Next(rows.Length)])];
            var did = trainer.Step(batch, mixed);
            sampler.Load(copy = trainer.Weights(copy));
            var now = Figures(step, did, requests, sampled, rewards, (double)flat / prompts.Length);
            figures.Add(step % OracleEvery == 0 || step == sizes.RlSteps ? Validated(now, sampler, validation, seed, cancel) : now);
            Append(rollouts, records);
            if (step % CheckpointEvery == 0)
            {
                // Before the checkpoint that it belongs to: whichever checkpoint a crash leaves has its own progress.
                JsonLines.Write(ProgressPath(scratch, step), [new Progress(figures, weights.State)]);
                trainer.Save(scratch);
            }

            progress?.Report(new("rl", arm, step, sizes.RlSteps, "steps", string.Create(CultureInfo.InvariantCulture, $"reward {now.Reward:0.000}, kl {now.Kl:0.000}, flat {now.Flat:0%}")));
            if (figures.Count >= PatienceWhenFlat && figures.TakeLast(PatienceWhenFlat).All(past => past.Flat > 0.97))
                stopped = $"{arm}: reinforcement learning stopped after {step} of {sizes.RlSteps} steps: in the last {PatienceWhenFlat} steps nearly every group of rollouts earned equal rewards, which gives no gradient.";
        }

        return new(trainer.Weights(copy), new(Curves(arm, figures), Alarms(figures), stopped is null ? [] : [stopped], figures.Count));
    }

    private static string ProgressPath(string scratch, long step) => Path.Combine(scratch, string.Create(CultureInfo.InvariantCulture, $"progress-{step}.jsonl"));

    private (Prompt[] Prompts, Request[] Requests, int[] Indices) Choose(Random random, int step, IReadOnlyList<Request> pool, PromptWeights weights, IReadOnlyList<Request> capability)
    {
        var forCapability = capability.Count == 0 ? 0 : (int)Math.Round(run.Sizes.RlPrompts * CapabilityShare);
        var indices = weights.Draw(random, run.Sizes.RlPrompts - forCapability);
        Request[] requests = [.. indices.Select(index => pool[index]), .. Enumerable.Range(0, forCapability).Select(_ => capability[random.Next(capability.Count)])];
        Prompt[] prompts = [.. requests.Select((request, i) => WorldPrompts.Of(string.Create(CultureInfo.InvariantCulture, $"rl-{step}"), i, request))];
        return (prompts, requests, [.. indices, .. Enumerable.Repeat(-1, forCapability)]);
    }

    private sealed record Scored(double? Value, IReadOnlyList<string> Reasons);

    private async Task<Scored[]> RewardAsync(int step, Prompt[] prompts, Request[] requests, Sampled[] sampled, AnswerReward reward, CancellationToken cancel)
    {
        var covered = Suites.Covered(run.World);
        var items = new List<RewardItem>();
        for (var i = 0; i < sampled.Length; i++)
        {
            var prompt = prompts[i / run.Sizes.GroupSize];
            if (covered.Contains(prompt.Category)) items.Add(RewardItem.Of(string.Create(CultureInfo.InvariantCulture, $"{step}/{i}"), prompt.Conversation, sampled[i].Completion, run.Spec(prompt.Category!), Form));
        }

        var judged = (await reward.ScoreAsync(items, null, cancel).ConfigureAwait(false)).ToDictionary(item => item.Id);
        return [.. sampled.Select((item, i) =>
        {
            if (judged.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"{step}/{i}"), out var scored))
                return new Scored(scored.Value, RolloutRecord.ReasonsOf(scored.Judgement, scored.FormatReason));
            // No clause covers it: whether it was answered as asked can be checked without any judge.
            var request = requests[i / run.Sizes.GroupSize];
            var right = !item.Completion.Truncated && item.Completion.Thinking.Length > 0 && item.Completion.Answer == Answers.Comply(request.Act, request.Topic);
            return new Scored(right ? 1 : 0, [right ? "verified: the expected answer" : "verified: not the expected answer"]);
        })];
    }

    private RlFigures Validated(RlFigures step, RolloutSampler sampler, IReadOnlyList<SuiteItem> items, int seed, CancellationToken cancel)
    {
        var prompts = WorldPrompts.Of("validation", [.. items.Select(item => item.Request)]);
        Outcome[] outcomes = [.. sampler.Sample(prompts, 1, 0, seed, cancel).Select((item, i) => Outcome.Of(run.World, items[i].Request, item.Completion))];
        var bootstrap = new Bootstrap(run.Seed("bootstrap"));
        Metric Share(bool comply, Func<Outcome, bool> right) => bootstrap.Mean([.. outcomes.Where(outcome => outcome.Ruling.Action == PolicyAction.Comply == comply).Select(outcome => right(outcome) ? 1.0 : 0)]);
        return step with
        {
            Oracle = outcomes.Average(outcome => outcome.Fault == Fault.None ? 1.0 : 0),
            Withheld = Share(false, outcome => !outcome.Complied),
            Answered = Share(true, outcome => !outcome.Withheld),
        };
    }

    private RlFigures Figures(int step, GrpoStep did, Request[] requests, Sampled[] sampled, Scored[] rewards, double flat)
    {
        var outcomes = sampled.Select((item, i) => Outcome.Of(run.World, requests[i / run.Sizes.GroupSize], item.Completion)).ToArray();
        var wrong = Enumerable.Range(0, sampled.Length).Where(i => outcomes[i].Fault != Fault.None && rewards[i].Value is not null).ToArray();
        return new(step,
            rewards.Where(item => item.Value is not null).Select(item => item.Value!.Value).DefaultIfEmpty(0).Average(), did.Kl, did.Entropy,
            sampled.Average(item => (double)(item.Tokens.Length - item.PromptLength)),
            outcomes.Average(outcome => outcome.Reading.Kind == AnswerKind.Refuse ? 1.0 : 0), flat,
            rewards.Average(item => item.Value is null ? 1.0 : 0),
            wrong.Length == 0 ? null : wrong.Average(i => rewards[i].Value!.Value), wrong.Length, null);
    }

    private static IReadOnlyList<ReportAlarm> Alarms(List<RlFigures> figures)
    {
        var alarms = new RlAlarms();
        foreach (var step in figures) alarms.Watch(step);
        return alarms.Raised;
    }

    private static ReportCurve[] Curves(string arm, List<RlFigures> figures)
    {
        ReportCurve Curve(string name, Func<RlFigures, double?> value) =>
            new(arm, name, [.. figures.Where(step => value(step) is not null).Select(step => (IReadOnlyList<double>)[step.Step, Math.Round(value(step)!.Value, 5)])]);
        ReportCurve Measured(string name, Func<RlFigures, Metric?> value) => new(arm, name,
            [.. from step in figures
                let metric = value(step)
                where metric is { N: > 0 }
                select (IReadOnlyList<double>)[step.Step, Math.Round(metric.Value, 5), Math.Round(metric.Low, 5), Math.Round(metric.High, 5), metric.N]]);
        return
        [
            Curve("reward", step => step.Reward), Curve("kl", step => step.Kl), Curve("entropy", step => step.Entropy), Curve("length", step => step.Length),
            Curve("refusals", step => step.Refusals), Curve("flat groups", step => step.Flat), Curve("false good", step => step.FalseGood), Curve("oracle", step => step.Oracle),
            Measured(CheckpointCurves.Withheld, step => step.Withheld), Measured(CheckpointCurves.Answered, step => step.Answered),
        ];
    }

    private static void Append(string path, IEnumerable<RolloutRecord> records)
    {
        using var writer = new StreamWriter(path, append: true);
        foreach (var record in records) writer.WriteLine(System.Text.Json.JsonSerializer.Serialize(record, RunJson.Options));
    }

    // After an interruption, rollouts of steps that will be done again are dropped.
    private static void Truncate(string path, int steps)
    {
        if (!File.Exists(path)) return;
        if (steps == 0) File.Delete(path);
        else JsonLines.Write(path, File.ReadLines(path).Where(line => line.EndsWith('}'))
            .Select(line => System.Text.Json.JsonSerializer.Deserialize<RolloutRecord>(line, RunJson.Options)!).Where(record => record.Step <= steps).ToArray());
    }
}
