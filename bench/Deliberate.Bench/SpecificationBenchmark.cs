using System.Diagnostics;
using System.Globalization;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;

namespace Deliberate.Bench;

/// <summary>
/// Prompts that all begin with the same specification, as in generating, judging and measuring with a policy in context: calls opened one by one that share
/// their beginning, beside the same ones that do not, in turns.
/// </summary>
internal static class SpecificationBenchmark
{
    private const int OwnTokens = 40, NewTokens = 64;

    public static async Task RunAsync(string folder, int rounds, int specification, int calls)
    {
        using var model = StoredModel.Open(folder);
        var weights = model.Weights();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Path.GetFileName(folder)}: {weights.Parameters / 1e6:F1}M parameters; {calls} calls at once, each {specification} tokens that all begin with, {OwnTokens} of its own, {NewTokens} new ones; {Environment.ProcessorCount} cores; medians of {rounds} alternating rounds"));
        using var shared = new Generator(weights);
        using var apart = new Generator(weights, new() { SharePrefixes = false });
        using var without = new Generator(weights);
        (string Name, Generator Generator, int Specification)[] contestants = [("beginning shared", shared, specification), ("each on its own", apart, specification), ("no specification", without, 0)];
        var times = contestants.ToDictionary(one => one.Name, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
            foreach (var (name, generator, tokens) in contestants)
            {
                // The beginning is new in each round, so that it is read once in each.
                var random = new Random(round);
                int[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(weights.Config.VocabSize))];
                var beginning = Draw(tokens);
                var requests = Enumerable.Range(0, calls).Select(i => new GenerationRequest { Prompt = [.. beginning, .. Draw(OwnTokens)], MaxNewTokens = NewTokens, Temperature = 1, Seed = i }).ToArray();
                var clock = Stopwatch.GetTimestamp();
                await Task.WhenAll(requests.Select(request => generator.SubmitAsync(request)));
                times[name].Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
            }

        foreach (var (name, seconds) in times)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-17} {GenerationComparison.Median(seconds),6:F1} s ({seconds.Min():F1} to {seconds.Max():F1}), {60 * calls / GenerationComparison.Median(seconds):F0} answers a minute"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  sharing = {GenerationComparison.Median(times["each on its own"]) / GenerationComparison.Median(times["beginning shared"]):F1} x"));
    }
}
