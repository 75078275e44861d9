using System.Diagnostics;
using System.Globalization;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Deliberate.Training.Grpo;
using Deliberate.Training.Lora;
using Deliberate.Training.Native;

namespace Deliberate.Bench;

/// <summary>
/// Seconds of one step of GRPO, sampling and training apart, with the divergence from a reference model: 64 rollouts of 100 + 60 tokens on a small model of
/// random weights, or 16 of 100 + 64 on a model of a folder. Completions never end early, so that every step is as long as the next.
/// </summary>
internal static class GrpoBenchmark
{
    private const int PromptTokens = 100, GroupSize = 8;

    private static readonly ModelConfig Small = new()
    {
        VocabSize = 2048,
        HiddenSize = 256,
        Layers = 6,
        Heads = 8,
        KvHeads = 8,
        HeadDim = 32,
        FeedForward = 704,
        MaxPositions = 1024,
        RopeTheta = 10_000,
    };

    public static void Run(string? folder, int rounds)
    {
        TorchLibrary.Initialize();
        using var stored = folder is null ? null : StoredModel.Open(folder);
        var weights = stored?.Weights() ?? Initialisation.Random(Small, 1);
        var (groups, tokens) = folder is null ? (8, 60) : (2, 64);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(folder is null ? "6 layers of 256" : Path.GetFileName(folder))}: {weights.Parameters / 1e6:F2}M parameters; {groups} prompts of {PromptTokens} tokens, {GroupSize} rollouts of {tokens} tokens each, KL to the start; {Environment.ProcessorCount} cores; medians of {rounds} steps"));
        if (folder is null) Measure("all weights", weights, null, groups, tokens, rounds);
        else foreach (var (title, lora) in ((string, LoraOptions?)[])[("all weights", null), ("LoRA, rank 16", new())]) Measure(title, weights, lora, groups, tokens, rounds);
    }

    private static void Measure(string title, ModelWeights weights, LoraOptions? lora, int groups, int tokens, int rounds)
    {
        using var trainer = new GrpoTrainer(weights, new() { KlCoefficient = 0.04, ConstantLength = tokens, Lora = lora, Packing = true, MicroBatchTokens = weights.Parameters > 32_000_000 ? 1_024 : 4_096, LearningRate = 1e-5 });
        using var generator = new Generator(weights);
        ModelWeights? copy = null;
        var (sampling, training, peaks) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            for (var i = 0; i < 5; i++) peaks.Add(Limits.Together(Environment.ProcessorCount, () => Limits.Peak(200_000)));
            var clock = Stopwatch.GetTimestamp();
            var rollouts = Sample(generator, weights.Config, groups, tokens, round);
            var sampled = Stopwatch.GetElapsedTime(clock).TotalSeconds;
            clock = Stopwatch.GetTimestamp();
            trainer.Step(rollouts);
            generator.Load(copy = trainer.Weights(copy));
            if (round == 0) continue; // warms up
            sampling.Add(sampled);
            training.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
        }

        // A token that is read costs 2 operations a parameter, one that is trained 6 (4 where the weights stay), and 2 more for the reference.
        var count = groups * GroupSize;
        var least = ((2.0 * ((groups * PromptTokens) + (count * tokens))) + ((lora is null ? 8 : 6) * (double)count * (PromptTokens + tokens))) * weights.Parameters / 1e9 / peaks.Max();
        var (s, t) = (GenerationComparison.Median(sampling), GenerationComparison.Median(training));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {title,-14} {s + t,6:F2} s a step ({sampling.Zip(training, (a, b) => a + b).Min():F2} to {sampling.Zip(training, (a, b) => a + b).Max():F2}): sampling {s:F2}, training {t:F2}; at the peak of {peaks.Max():F0} GFLOP/s it would take {least:F2} s, {least / (s + t):P0}"));
    }

    private static Rollout[] Sample(Generator generator, ModelConfig config, int groups, int tokens, int seed)
    {
        var random = new Random(seed);
        int[][] prompts = [.. Enumerable.Range(0, groups).Select(_ => Enumerable.Range(0, PromptTokens).Select(_ => random.Next(config.VocabSize)).ToArray())];
        var results = generator.Generate([.. prompts.SelectMany((prompt, group) => Enumerable.Range(0, GroupSize).Select(i => new GenerationRequest { Prompt = prompt, MaxNewTokens = tokens, Temperature = 1, Seed = (seed * 1_000) + (group * GroupSize) + i }))]);
        var rollouts = new List<Rollout>();
        for (var group = 0; group < groups; group++)
        {
            // The reward is the share of even tokens: any rule whose value differs between rollouts will do.
            var of = results.Skip(group * GroupSize).Take(GroupSize).ToArray();
            var advantages = Advantages.Of([.. of.Select(result => (double?)result.Tokens.Average(token => token % 2))]);
            rollouts.AddRange(of.Select((result, i) => new Rollout([.. prompts[group], .. result.Tokens], PromptTokens, advantages[i] ?? 0)));
        }

        return [.. rollouts];
    }
}
