using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Training.Native;

namespace Deliberate.Bench;

/// <summary>
/// The engine beside llama.cpp: the same weights in bf16, the same prompts and threads, alternating in one run, so that a busy machine slows both;
/// medians and their ratio. llama.cpp runs in a Node process of its own (bench/peers/llama.mjs), which is silent while the engine works.
/// </summary>
internal static class LlamaComparison
{
    private const int PromptTokens = 128, NewTokens = 32, Overlap = 48; // prompts of a batch end one after the other

    private sealed record Measured(double Prefill, double[] Steps);

    public static void Run(string folder, string gguf, string script, int rounds, int threads)
    {
        using var model = StoredModel.Open(folder);
        var weights = model.Weights();
        using var engine = new Generator(weights, new() { Threads = threads, SharePrefixes = false, Prompts = TorchPrompts.Offer() });
        using var peer = Start(script, gguf, threads);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Path.GetFileName(folder)}: {weights.Parameters / 1e6:F1}M parameters, {engine.Weights}{(engine.Prompts is { } chosen ? $", prompts: {chosen}" : "")}, against llama.cpp with {Path.GetFileName(gguf)}; {threads} threads; prompts of {PromptTokens}, {NewTokens} new tokens; medians of {rounds} alternating rounds"));
        foreach (var batch in (int[])[1, 8, 32])
        {
            Ask(peer, Prompts(weights.Config, batch, 0));
            OfEngine(engine, Prompts(weights.Config, batch, 0));
            var (own, other, reads, peaks) = (new List<Measured>(), new List<Measured>(), new List<double>(), new List<double>());
            for (var round = 1; round <= rounds; round++)
            {
                for (var i = 0; i < 5; i++)
                {
                    reads.Add(Limits.Together(threads, () => Limits.ReadSpeed(64 << 20)));
                    peaks.Add(Limits.Together(threads, () => Limits.Peak(200_000)));
                }

                var prompts = Prompts(weights.Config, batch, round);
                own.Add(OfEngine(engine, prompts));
                other.Add(Ask(peer, prompts));
            }

            // The engine's steps take one whole pass; so do llama.cpp's.
            double Decode(List<Measured> all) => batch / GenerationComparison.Median(all.SelectMany(one => one.Steps));
            double Prefill(List<Measured> all) => batch * PromptTokens / GenerationComparison.Median(all.Select(one => one.Prefill));
            var (read, peak) = (reads.Max(), peaks.Max());
            double Limit() => 1 / Math.Max(engine.WeightBytes / 1e9 / read / batch, 2 * weights.Parameters / 1e9 / peak);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  batch {batch,2}: decode {Decode(own),6:F1} against {Decode(other),6:F1} tokens/s = {Decode(own) / Decode(other):F2} x ({Decode(own) / Limit():P0} of the limit, {Limit():F0}); prefill {Prefill(own),5:F0} against {Prefill(other),5:F0} = {Prefill(own) / Prefill(other):F2} x   [{read:F1} GB/s, {peak:F0} GFLOP/s]"));
        }

        peer.StandardInput.Close();
        peer.WaitForExit();
    }

    private static Process Start(string script, string gguf, int threads)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[script, gguf, threads.ToString(CultureInfo.InvariantCulture)]) start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new InvalidOperationException("node cannot be started.");
    }

    private static Measured Ask(Process peer, int[][] prompts)
    {
        peer.StandardInput.WriteLine(JsonSerializer.Serialize(new { prompts, tokens = NewTokens }));
        peer.StandardInput.Flush();
        var line = peer.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{peer.StartInfo.ArgumentList[0]} ended; its message stands above.");
        return JsonSerializer.Deserialize<Measured>(line, JsonSerializerOptions.Web)!;
    }

    private static Measured OfEngine(Generator engine, int[][] prompts)
    {
        var steps = new List<double>();
        GenerationRequest[] requests = [.. prompts.Select(prompt => new GenerationRequest { Prompt = prompt, MaxNewTokens = prompts.Length == 1 ? NewTokens : NewTokens + Overlap, Temperature = 0 })];
        // As llama.cpp is asked: the prompts alone, then the whole.
        var begin = Stopwatch.GetTimestamp();
        engine.Generate([.. requests.Select(request => request with { MaxNewTokens = 1 })]);
        var prefill = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        ModelBenchmark.Generate(engine, requests, steps, out _);
        return new(prefill, [.. steps]);
    }

    private static int[][] Prompts(ModelConfig config, int batch, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, batch).Select(_ => Enumerable.Range(0, PromptTokens).Select(_ => random.Next(config.VocabSize)).ToArray())];
    }
}
