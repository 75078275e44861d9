using System.Diagnostics;
using System.Globalization;
using Deliberate.Policies;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;

namespace Deliberate.Bench;

/// <summary>
/// Durable completions per second through the run store against a responder in the process that answers at once: what the store costs, and whether memory
/// stays flat. The same calls without the store, and one flush of the disk, are measured beside it.
/// </summary>
internal static class StoreBenchmark
{
    private const int SpecCharacters = 12_000, ThinkingCharacters = 3_000, AnswerCharacters = 1_000;

    public static async Task RunAsync(int prompts, IReadOnlyList<int> concurrencies)
    {
        var folder = Directory.CreateTempSubdirectory("deliberate-bench-").FullName;
        try
        {
            Say($"{prompts:N0} prompts, requests of {SpecCharacters / 1000} kB, responses of {(ThinkingCharacters + AnswerCharacters) / 1000} kB, {Environment.ProcessorCount} cores, {folder}");
            Say($"one flush of the disk: {Flush(folder):F2} ms (median)");
            using var responder = new InstantClient();
            foreach (var concurrency in concurrencies)
            {
                var path = Path.Combine(folder, $"{concurrency}.db");
                await MeasureAsync(responder, "warming up", Math.Min(prompts, 500), concurrency, null, quiet: true);
                var (_, bare) = await MeasureAsync(responder, $"{concurrency} at once, no store", prompts, concurrency, null);
                using var store = ResponseStore.Open(path);
                using var client = responder.UseResponseStore(store, new StoreContext("bench", "generate", "instant"));
                var (rate, used) = await MeasureAsync(client, $"{concurrency} at once, stored", prompts, concurrency, store);
                Say($"  the store costs {(used - bare) * 1e6:F0} µs of processor time a completion; {(rate >= 2000 ? "reaches" : "misses")} 2,000/s");
                await MeasureAsync(client, $"{concurrency} at once, all there already", prompts, concurrency, store);
                await store.FlushAsync();
                Say($"  file: {new FileInfo(path).Length / 1e6:F1} MB, {new FileInfo(path).Length / (double)prompts / 1000:F2} kB a completion");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Rate and processor seconds a completion.
    private static async Task<(double Rate, double Used)> MeasureAsync(IChatClient client, string name, int prompts, int concurrency, ResponseStore? store, bool quiet = false)
    {
        var spec = new Spec(new string('s', SpecCharacters), "theft", "hash");
        var waits = new double[prompts];
        var memory = new List<double>();
        var done = 0;
        var (clock, used, commits) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, store?.Commits ?? 0);
        await Parallel.ForAsync(0, prompts, new ParallelOptions { MaxDegreeOfParallelism = concurrency }, async (number, token) =>
        {
            using var call = new CallDetails($"p{number}", 0, spec, "v1").Enter();
            var start = Stopwatch.GetTimestamp();
            await client.GetResponseAsync([new(ChatRole.User, $"{number}: follow the policies.\n\n{spec.Text}\n\nThink, then answer.")], new() { Temperature = 1, Seed = number, MaxOutputTokens = 2048 }, token);
            waits[number] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            if (Interlocked.Increment(ref done) % Math.Max(1, prompts / 4) != 0) return;
            lock (memory) memory.Add(Environment.WorkingSet / 1e6);
        });
        var (seconds, processor) = (Stopwatch.GetElapsedTime(clock).TotalSeconds, (Environment.CpuUsage.TotalTime - used).TotalSeconds);
        if (quiet) return (prompts / seconds, processor / prompts);
        Array.Sort(waits);
        Say($"{name}: {prompts / seconds:N0}/s; wait p50 {waits[prompts / 2]:F1} ms, p99 {waits[prompts * 99 / 100]:F1} ms; {processor / prompts * 1e6:F0} µs of processor time each; working set by quarters {string.Join(", ", memory.Select(size => Text($"{size:F0}")))} MB");
        if (store is not null && store.Commits > commits) Say($"  {store.Commits - commits:N0} commits, {prompts / (double)(store.Commits - commits):F1} completions each");
        return (prompts / seconds, processor / prompts);
    }

    private static double Flush(string folder)
    {
        using var file = new FileStream(Path.Combine(folder, "flush"), FileMode.Create);
        return GenerationComparison.Median(Enumerable.Range(0, 50).Select(_ =>
        {
            file.Write(new byte[6000]);
            var start = Stopwatch.GetTimestamp();
            file.Flush(flushToDisk: true);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }).ToArray());
    }

    private static void Say(FormattableString line) => Console.WriteLine(Text(line));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed class InstantClient : IChatClient
    {
        private static readonly string Thinking = new('t', ThinkingCharacters), Answer = new('a', AnswerCharacters);

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => Task.FromResult(
            new ChatResponse(new ChatMessage(ChatRole.Assistant, [new TextReasoningContent(Thinking), new TextContent(Answer)]))
            {
                FinishReason = ChatFinishReason.Stop,
                ModelId = "instant",
                Usage = new() { InputTokenCount = 3000, OutputTokenCount = 1000 },
            });

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
