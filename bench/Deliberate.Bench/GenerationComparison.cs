using System.Diagnostics;
using System.Globalization;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;

namespace Deliberate.Bench;

/// <summary>
/// Tokens per second of the generation engine against TorchSharp's: the same model, the same prompts, alternating in one run, so
/// that a busy machine slows both; medians and their ratio.
/// </summary>
internal static class GenerationComparison
{
    private const int PromptTokens = 100, NewTokens = 60;

    public static void Run(int rounds, bool engineOnly, bool limits, string? folder)
    {
        using var stored = folder is null ? null : StoredModel.Open(folder);
        var (weights, name) = stored is null ? BenchModel.Load() : (stored.Weights(), Path.GetFileName(stored.Path));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name}: {weights.Parameters / 1e6:F2}M parameters; {PromptTokens} prompt tokens, {NewTokens} new ones; {Environment.ProcessorCount} cores; greedy; medians of {rounds} alternating rounds"));
        using var engine = new Generator(weights);
        using var trained = folder is null ? new Generator(Trained(weights)) : null;
        using var torchGenerator = engineOnly ? null : new TorchGenerator(weights);
        foreach (var batch in (int[])(folder is null ? [1, 64] : [1, 8, 32]))
        {
            var prompts = BenchModel.Prompts(weights.Config, batch, PromptTokens);
            var contestants = new List<(string Name, Func<int[][]> Generate)> { ("engine", () => OfEngine(engine, prompts)) };
            if (trained is not null) contestants.Add(("engine, fp32 weights", () => OfEngine(trained, prompts)));
            var own = contestants.Count;
            if (torchGenerator is not null)
                for (var threads = 1; threads <= Environment.ProcessorCount; threads *= 2)
                {
                    var count = threads;
                    contestants.Add(($"TorchSharp, {count} thread{(count == 1 ? "" : "s")}", () =>
                    {
                        TorchSharp.torch.set_num_threads(count);
                        return torchGenerator.Generate(prompts, NewTokens);
                    }
                    ));
                }

            Compare(batch, rounds, contestants, own);
        }

        if (limits) Limits.Print(weights.Config);
    }

    // Weights after a training step are no longer exact in bf16, which costs single rows their shorter reads.
    private static ModelWeights Trained(ModelWeights weights)
    {
        var trained = new ModelWeights(weights.Config);
        foreach (var (name, _) in weights.Config.Tensors()) weights[name].AsSpan().CopyTo(trained[name]);
        foreach (var (name, _) in weights.Config.Tensors())
            for (var i = 0; i < trained[name].Length; i++) trained[name][i] *= 1.0001f;
        return trained;
    }

    private static int[][] OfEngine(Generator engine, int[][] prompts) =>
        [.. engine.Generate([.. prompts.Select(prompt => new GenerationRequest { Prompt = prompt, MaxNewTokens = NewTokens, Temperature = 0 })]).Select(result => result.Tokens)];

    private static void Compare(int batch, int rounds, List<(string Name, Func<int[][]> Generate)> contestants, int own)
    {
        var texts = contestants.Select(contestant => contestant.Generate()).ToArray(); // warms up as well
        var speeds = contestants.Select(_ => new List<double>()).ToArray();
        var perCpu = contestants.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < rounds; round++)
            for (var i = 0; i < contestants.Count; i++)
            {
                var (clock, used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                contestants[i].Generate();
                speeds[i].Add(batch * NewTokens / Stopwatch.GetElapsedTime(clock).TotalSeconds);
                perCpu[i].Add(batch * NewTokens / (Environment.CpuUsage.TotalTime - used).TotalSeconds);
            }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"batch {batch}"));
        for (var i = 0; i < contestants.Count; i++)
        {
            var equal = texts[0].Zip(texts[i], (a, b) => a.Zip(b, (x, y) => x == y).TakeWhile(same => same).Count()).Sum();
            var line = string.Create(CultureInfo.InvariantCulture, $"  {contestants[i].Name,-24} {Median(speeds[i]),10:N0} tokens/s  ({speeds[i].Min():N0} to {speeds[i].Max():N0}), {Median(perCpu[i]):N0} a processor second");
            Console.WriteLine(i == 0 ? line : $"{line}; {equal} of {batch * NewTokens} tokens equal before the first difference");
        }

        if (contestants.Count > own)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  engine / best TorchSharp  {Median(speeds[0]) / speeds.Skip(own).Max(Median),9:F1} x; by processor seconds {Median(perCpu[0]) / perCpu.Skip(own).Max(Median):F1} x"));
    }

    internal static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
