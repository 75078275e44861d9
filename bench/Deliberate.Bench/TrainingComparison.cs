using System.Diagnostics;
using System.Globalization;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights.Gguf;
using Deliberate.Training.Decoding;
using Deliberate.Training.Lora;
using Deliberate.Training.Native;
using Deliberate.Training.Optimizers;

namespace Deliberate.Bench;

/// <summary>
/// Tokens per second of fine-tuning against plain TorchSharp: the same model, the same rows, steps that alternate in one run, so that a busy
/// machine slows both; medians and their ratio, and what the machine's matrix product reaches.
/// </summary>
internal static class TrainingComparison
{
    private const int Rows = 2;

    /// <summary>Compares on a model's folder or GGUF file.</summary>
    public static void Run(string model, int rounds, int length, string what)
    {
        TorchLibrary.Initialize();
        using var opened = Open(model);
        var weights = opened.Model.Weights();
        var rows = SomeRows(weights.Config, Rows, length);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Path.GetFileName(model)}: {weights.Parameters / 1e6:F1}M parameters; {Rows} rows of {length} tokens a step, the second half of each trained; {Environment.ProcessorCount} cores; medians of {rounds} alternating steps"));
        if (what is "full" or "all") Compare($"full fine-tuning, {Decoder.Choice(weights.Config, false, "cpu").Told}", rounds, rows, [("Deliberate", Ours(weights, null)), ("TorchSharp, eager", Eager(weights, 0))]);
        if (what is "lora" or "all")
            Compare($"LoRA, rank 16, every linear layer, {Decoder.Choice(weights.Config, true, "cpu").Told}", rounds, rows,
            [
                ("Deliberate, base in fp32", Ours(weights, new() { Fp32Base = true })),
                ("Deliberate, base in bf16", Ours(weights, new())),
                ("TorchSharp, eager", Eager(weights, 16)),
            ]);
    }

    /// <summary>Two steps of one kind on one row; prints the time and the most memory that the process had.</summary>
    public static void Memory(string model, int length, string what)
    {
        using var opened = Open(model);
        var weights = opened.Model.Weights();
        var rows = SomeRows(weights.Config, 1, length);
        var (step, owner) = Ours(weights, what == "lora" ? new() : null)();
        using (owner)
        {
            step(rows);
            var clock = Stopwatch.GetTimestamp();
            step(rows);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{what}, one row of {length} tokens: {length / Stopwatch.GetElapsedTime(clock).TotalSeconds:F0} tokens/s, peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e9:F2} GB (of which mapped weights {(double)new FileInfo(Path.Combine(opened.Model.Path, "model.safetensors")).Length / 1e9:F2} GB)"));
        }
    }

    private static Func<(Action<TokenRow[]>, IDisposable)> Ours(ModelWeights weights, LoraOptions? lora) => () =>
    {
        var decoder = new Decoder(weights, new DecoderOptions { Adapter = lora is null ? null : LoraAdapter.Create(weights.Config, lora) });
        var optimizer = new DecoderOptimizer(decoder, OptimizerKind.AdamW, 0, 1);
        return (rows =>
        {
            WeightedLoss.Backward(decoder, rows, WeightedLoss.TotalWeight(rows), packed: true);
            optimizer.Step(1e-4, 0);
        }, new Both(decoder, optimizer));
    };

    private static Func<(Action<TokenRow[]>, IDisposable)> Eager(ModelWeights weights, int rank) => () =>
    {
        var eager = new EagerModel(weights, rank, 32);
        return (rows => eager.Step(rows), eager);
    };

    private static void Compare(string title, int rounds, TokenRow[] rows, (string Name, Func<(Action<TokenRow[]>, IDisposable)> Make)[] contestants)
    {
        Console.WriteLine(title);
        var made = contestants.Select(contestant => contestant.Make()).ToArray();
        var speeds = contestants.Select(_ => new List<double>()).ToArray();
        var perCpu = contestants.Select(_ => new List<double>()).ToArray();
        var tokens = rows.Sum(row => row.Tokens.Length);
        foreach (var (step, _) in made) step(rows);
        for (var round = 0; round < rounds; round++)
            for (var i = 0; i < made.Length; i++)
            {
                var (clock, used) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                made[i].Item1(rows);
                speeds[i].Add(tokens / Stopwatch.GetElapsedTime(clock).TotalSeconds);
                perCpu[i].Add(tokens / (Environment.CpuUsage.TotalTime - used).TotalSeconds);
            }

        for (var i = 0; i < made.Length; i++)
        {
            var against = i == made.Length - 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {Median(speeds[i]) / Median(speeds[^1]):F2} x, by processor seconds {Median(perCpu[i]) / Median(perCpu[^1]):F2} x");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {contestants[i].Name,-26} {Median(speeds[i]),7:F0} tokens/s ({speeds[i].Min():F0} to {speeds[i].Max():F0}), {Median(perCpu[i]):F0} a processor second{against}"));
        }

        foreach (var (_, owner) in made) owner.Dispose();
    }

    private static double Median(List<double> values) => GenerationComparison.Median(values);

    private static TokenRow[] SomeRows(ModelConfig config, int count, int length)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, count).Select(_ => new TokenRow([.. Enumerable.Range(0, length).Select(_ => random.Next(config.VocabSize))], [.. Enumerable.Range(0, length).Select(i => i < length / 2 ? 0f : 1f)]))];
    }

    private static Opened Open(string model)
    {
        if (Directory.Exists(model)) return new(StoredModel.Open(model), null);
        var folder = Directory.CreateTempSubdirectory("deliberate-bench-").FullName;
        GgufImport.Convert(model, folder);
        return new(StoredModel.Open(folder), folder);
    }

    private sealed record Opened(StoredModel Model, string? Temporary) : IDisposable
    {
        public void Dispose()
        {
            Model.Dispose();
            if (Temporary is not null) Directory.Delete(Temporary, recursive: true);
        }
    }

    private sealed record Both(IDisposable First, IDisposable Second) : IDisposable
    {
        public void Dispose()
        {
            Second.Dispose();
            First.Dispose();
        }
    }
}
