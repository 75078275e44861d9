using System.Diagnostics;
using System.Globalization;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights.Gguf;
using Deliberate.Training.Native;

namespace Deliberate.Bench;

/// <summary>
/// Tokens per second of one model, prompt and decoding apart, against what reading its weights and multiplying by them costs at
/// the least on this machine. Takes a model folder or a GGUF file, which is imported in bf16 to a temporary folder.
/// </summary>
internal static class ModelBenchmark
{
    private const int PromptTokens = 128, NewTokens = 32, Overlap = 48; // prompts of a batch end one after the other

    public static void Run(string path, int rounds, IReadOnlyList<WeightStorage> storages, int threads)
    {
        var imported = path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? Directory.CreateTempSubdirectory("deliberate-bench-").FullName : null;
        try
        {
            if (imported is not null) GgufImport.Convert(path, imported);
            using var model = StoredModel.Open(imported ?? path);
            var weights = model.Weights();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(path)}: {weights.Parameters / 1e6:F1}M parameters, {threads} threads; prompts of {PromptTokens}, {NewTokens} new tokens; the best of {rounds} rounds"));
            foreach (var storage in storages) Measure(weights, storage, null, rounds, threads);
            // Once more where prompts have another way.
            if (TorchPrompts.Offer() is { } offer) Measure(weights, storages[0], offer, rounds, threads);
        }
        finally
        {
            if (imported is not null) Directory.Delete(imported, recursive: true);
        }
    }

    private static void Measure(ModelWeights weights, WeightStorage storage, IPromptMatrices? prompts, int rounds, int threads)
    {
        var clock = Stopwatch.GetTimestamp();
        using var generator = new Generator(weights, new() { Threads = threads, Weights = storage, SharePrefixes = false, Prompts = prompts });
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{generator.Weights}: {generator.WeightBytes / 1e6:F0} MB of weights, packed in {Stopwatch.GetElapsedTime(clock).TotalSeconds:F1} s{(generator.Prompts is { } chosen ? $"; prompts: {chosen}" : "")}"));
        var config = weights.Config;
        generator.Generate(Requests(config, 1, NewTokens, 0));
        Limits.PrintProducts(config, generator.Weights, [1, 8, 32, 128]);
        foreach (var batch in (int[])[1, 8, 32])
        {
            // The machine's limits are taken next to each measurement: other processes slow down both. Steps are short, so that
            // the quickest of them is one that nothing interrupted.
            var (steps, prefill, processor, read, peak) = (new List<double>(), new List<double>(), new List<double>(), new List<double>(), new List<double>());
            for (var round = 0; round < rounds; round++)
            {
                for (var i = 0; i < 5; i++)
                {
                    read.Add(Limits.Together(threads, () => Limits.ReadSpeed(64 << 20)));
                    peak.Add(Limits.Together(threads, () => Limits.Peak(200_000)));
                }

                var begin = Stopwatch.GetTimestamp();
                Generate(generator, Requests(config, batch, batch == 1 ? NewTokens : NewTokens + Overlap, round), steps, out var first);
                prefill.Add(Stopwatch.GetElapsedTime(begin, first).TotalSeconds);
                var used = Environment.CpuUsage.TotalTime;
                generator.Generate(Requests(config, batch, 1, round));
                processor.Add((Environment.CpuUsage.TotalTime - used).TotalSeconds);
            }

            var (r, f) = (read.Max(), peak.Max());
            double Read(double tokens) => tokens / batch * generator.WeightBytes / 1e9;
            double Flops(double tokens) => 2 * tokens * weights.Parameters / 1e9;
            var (best, median) = (batch / steps.Min(), batch / GenerationComparison.Median(steps));
            var (bestPrefill, medianPrefill) = (batch * PromptTokens / prefill.Min(), batch * PromptTokens / GenerationComparison.Median(prefill));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  batch {batch,2}: decode {best,7:F1} tokens/s (median {median:F1}) = {Read(best):F1} of {r:F1} GB/s ({Read(best) / r:P0}), {Flops(best):F0} of {f:F0} GFLOP/s ({Flops(best) / f:P0}); prefill {bestPrefill,6:F0} tokens/s (median {medianPrefill:F0}) = {Flops(bestPrefill):F0} GFLOP/s ({Flops(bestPrefill) / f:P0}), {Flops(batch * PromptTokens / processor.Min()):F0} GFLOP a processor second"));
        }
    }

    // Adds the time of each step in which all sequences are in work; before that, the end of the last prompt.
    internal static void Generate(Generator generator, GenerationRequest[] requests, List<double> steps, out long first)
    {
        var stamps = new List<long>[] { [], [] };
        foreach (var (i, list) in ((int, List<long>)[])[(0, stamps[0]), (requests.Length - 1, stamps[1])])
            requests[i] = requests[i] with
            {
                OnToken = _ =>
                {
                    list.Add(Stopwatch.GetTimestamp());
                    return true;
                },
            };
        generator.Generate(requests);
        var (ends, last) = (requests.Length == 1 ? stamps[1][^1] : stamps[0][^1], stamps[1]);
        first = last[0];
        for (var i = 1; i < last.Count && last[i] <= ends; i++) steps.Add(Stopwatch.GetElapsedTime(last[i - 1], last[i]).TotalSeconds);
    }

    private static GenerationRequest[] Requests(ModelConfig config, int batch, int tokens, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, batch).Select(_ => new GenerationRequest
        {
            Prompt = [.. Enumerable.Range(0, PromptTokens).Select(_ => random.Next(config.VocabSize))], MaxNewTokens = tokens, Temperature = 0,
        })];
    }
}
