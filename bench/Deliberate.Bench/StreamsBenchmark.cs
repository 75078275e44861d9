using System.Diagnostics;
using System.Globalization;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Pipeline;
using Microsoft.Extensions.AI;

namespace Deliberate.Bench;

/// <summary>
/// Chat streams of the shipped miniature through one client: all at once, as a server has them, against one after the other. Tokens per second of all together,
/// in alternating rounds, so that a busy machine slows both; every stream must have the same text either way.
/// </summary>
internal static class StreamsBenchmark
{
    private const int MaxTokens = 100;

    private sealed record Reply(string Text, long Tokens, TimeSpan First);

    public static async Task RunAsync(int count, int rounds, int slots)
    {
        var model = ModelFolder.Load(ShippedModel.Folder);
        using var generator = new Generator(model.Weights, new() { MaxBatch = slots });
        using var client = new LocalChatClient(generator, new ChatFormat(model.Tokenizer), new() { ModelId = model.Fingerprint, MaxOutputTokens = MaxTokens });
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{count} streams of the miniature ({model.Weights.Parameters / 1e6:F2}M parameters), at most {MaxTokens} tokens each, temperature 1; {Environment.ProcessorCount} cores; medians of {rounds} alternating rounds"));
        var together = await TogetherAsync(client, count); // warms up as well
        var serial = await SerialAsync(client, count);
        if (!together.Select(reply => reply.Text).SequenceEqual(serial.Select(reply => reply.Text))) throw new InvalidOperationException("A stream has another text in company than alone.");
        List<double> many = [], single = [], firsts = [];
        for (var round = 0; round < rounds; round++)
        {
            many.Add(await SpeedAsync(() => TogetherAsync(client, count)));
            single.Add(await SpeedAsync(() => SerialAsync(client, count)));
        }

        Print("all at once", many);
        Print("one after the other", single);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  ratio {GenerationComparison.Median(many) / GenerationComparison.Median(single):F1}; first text of a stream after {GenerationComparison.Median(firsts) * 1e3:F0} ms (median), {firsts.Max() * 1e3:F0} ms (last) when all come at once"));

        async Task<double> SpeedAsync(Func<Task<Reply[]>> run)
        {
            var clock = Stopwatch.GetTimestamp();
            var replies = await run();
            var seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
            if (many.Count == single.Count) firsts.AddRange(replies.Select(reply => reply.First.TotalSeconds));
            return replies.Sum(reply => reply.Tokens) / seconds;
        }
    }

    private static void Print(string name, List<double> speeds) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"  {name,-20} {GenerationComparison.Median(speeds),8:N0} tokens/s  ({speeds.Min():N0} to {speeds.Max():N0})"));

    private static Task<Reply[]> TogetherAsync(LocalChatClient client, int count) => Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => StreamAsync(client, i))));

    private static async Task<Reply[]> SerialAsync(LocalChatClient client, int count)
    {
        var replies = new Reply[count];
        for (var i = 0; i < count; i++) replies[i] = await StreamAsync(client, i);
        return replies;
    }

    private static async Task<Reply> StreamAsync(LocalChatClient client, int number)
    {
        string[] things = ["a garden", "a bridge", "a recipe", "a journey", "a song"];
        var prompt = string.Create(CultureInfo.InvariantCulture, $"Please tell me the story of {things[number % things.Length]} number {number}, with all that belongs to it.");
        var (clock, first, tokens, text) = (Stopwatch.GetTimestamp(), TimeSpan.Zero, 0L, new System.Text.StringBuilder());
        await foreach (var update in client.GetStreamingResponseAsync(prompt, new ChatOptions { Temperature = 1, Seed = number }))
            foreach (var content in update.Contents)
            {
                if (first == TimeSpan.Zero) first = Stopwatch.GetElapsedTime(clock);
                if (content is UsageContent usage) tokens = usage.Details.OutputTokenCount ?? 0;
                else text.Append(content is TextReasoningContent thought ? thought.Text : ((TextContent)content).Text);
            }

        return new(text.ToString(), tokens, first);
    }
}
