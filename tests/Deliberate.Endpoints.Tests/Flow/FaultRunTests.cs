using System.Collections.Concurrent;
using Deliberate.Conversations;
using Deliberate.Endpoints.Chat;
using Deliberate.Endpoints.Flow;
using Deliberate.Faults;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Endpoints.Tests.Flow;

/// <summary>Whole sets of calls through a server that fails in every way.</summary>
public class FaultRunTests
{
    // Healthy replies take milliseconds, so that only the replies that never end meet this.
    private static readonly FlowControlOptions Limits = new() { MaxConcurrency = 24, CallTimeout = TimeSpan.FromSeconds(8), RetryDelay = TimeSpan.FromMilliseconds(1), MaxRetryDelay = TimeSpan.FromMilliseconds(20) };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<(SortedDictionary<string, Completion> Set, BatchResult Result, FlowSnapshot Seen)> RunAsync(FaultServer server, EndpointApi api, int count)
    {
        using var client = new ChatEndpoint(new() { Address = api == EndpointApi.Ollama ? server.Root : server.Address, Model = "m-1", Api = api }).AsBuilder().UseFlowControl(Limits).Build();
        var kept = new ConcurrentDictionary<string, Completion>();
        var calls = Enumerable.Range(0, count).Select(i => new ChatCall($"c{i:000}", ScriptedClient.Ask($"question {i}"), new() { Seed = i, MaxOutputTokens = 100 }));
        var result = await ChatBatch.RunAsync(client, calls, (call, response) =>
        {
            Assert.True(kept.TryAdd(call.Id, CompletionReader.Read(response)));
            return ValueTask.CompletedTask;
        }, concurrency: 32, cancellationToken: Cancel);
        return (new(kept), result, client.GetService<FlowController>()!.Snapshot());
    }

    [Theory]
    [InlineData(EndpointApi.ChatCompletions, ReasoningDialect.Reasoning)]
    [InlineData(EndpointApi.ChatCompletions, ReasoningDialect.Tags)]
    [InlineData(EndpointApi.Responses, ReasoningDialect.Reasoning)]
    [InlineData(EndpointApi.Ollama, ReasoningDialect.Reasoning)]
    public async Task With_three_calls_in_ten_failing_the_set_is_that_of_a_sound_server_and_nothing_is_answered_twice(EndpointApi api, ReasoningDialect dialect)
    {
        const int count = 150;
        await using var sound = await FaultServer.StartAsync(new() { Dialect = dialect });
        var expected = await RunAsync(sound, api, count);
        Assert.Equal((count, 0), (expected.Set.Count, expected.Seen.Retries));

        // A reply that never ends costs the whole time limit: one call meets that, and once.
        var plan = FaultServerOptions.Random(0.3, seed: 4, kinds: [.. Enum.GetValues<Fault>().Where(fault => fault is not (Fault.None or Fault.SlowDrip))]);
        await using var faulty = await FaultServer.StartAsync(new() { Dialect = dialect, Plan = request => request is { Asked: "question 3", Attempt: 1 } ? Fault.SlowDrip : plan(request) });
        var (set, result, seen) = await RunAsync(faulty, api, count);
        Assert.All(Enum.GetValues<Fault>(), fault => Assert.True(faulty.Given.ContainsKey(fault), $"{fault} was not tried"));
        Assert.Equal((BatchEnd.Complete, count, 0), (result.End, result.Succeeded, result.Failures.Count));
        Assert.Equal(expected.Set, set);

        Assert.Equal(count, faulty.Answered.Count);
        Assert.All(faulty.Answered, entry => Assert.Equal(1, entry.Value));
        var faults = faulty.Given.Where(entry => entry.Key != Fault.None).Sum(entry => entry.Value);
        Assert.Equal((faults, faults), (seen.Retries, seen.Failures.Values.Sum()));
        Assert.True(faults > count / 5, $"only {faults} faults");
        Assert.InRange(faulty.MostInFlight, 2, 24);
    }

    [Fact]
    public async Task A_key_that_is_refused_ends_the_run_at_once()
    {
        await using var server = await FaultServer.StartAsync(new() { RequiredKey = "k" });
        var (set, result, _) = await RunAsync(server, EndpointApi.ChatCompletions, 500);
        Assert.Empty(set);
        Assert.Equal(BatchEnd.Refused, result.End);
        Assert.InRange(server.Requests.Count, 1, 32);
    }
}
