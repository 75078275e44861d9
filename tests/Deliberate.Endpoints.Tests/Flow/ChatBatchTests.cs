using System.Collections.Concurrent;
using Deliberate.Endpoints.Flow;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Endpoints.Tests.Flow;

public class ChatBatchTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static IEnumerable<ChatCall> Calls(int count) => Enumerable.Range(1, count).Select(i => new ChatCall($"c{i}", ScriptedClient.Ask($"{i}")));

    [Fact]
    public async Task One_failure_ends_no_other_call_and_is_listed_with_its_reason()
    {
        using var client = new ScriptedClient((attempt, _) => attempt == 3 ? throw new EndpointException(FailureReason.RefusedRequest, "too long") : Task.FromResult(ScriptedClient.Say("yes")));
        var kept = new ConcurrentBag<string>();
        var result = await ChatBatch.RunAsync(client, Calls(10), (call, _) => Keep(kept, call), concurrency: 1, stop: Cancel, cancellationToken: Cancel);
        Assert.Equal((BatchEnd.Complete, 9), (result.End, result.Succeeded));
        Assert.Equal([new("c3", FailureReason.RefusedRequest, "too long")], result.Failures);
        Assert.Equal(9, kept.Count);
    }

    [Theory]
    [InlineData(FailureReason.RefusedKey, BatchEnd.Refused, 1)]
    [InlineData(FailureReason.OutOfCredit, BatchEnd.Refused, 1)]
    [InlineData(FailureReason.BudgetReached, BatchEnd.BudgetReached, 0)]
    public async Task What_every_call_will_meet_ends_the_batch(FailureReason reason, BatchEnd end, int listed)
    {
        using var client = new ScriptedClient((attempt, _) => attempt == 3 ? throw new EndpointException(reason, "no") : Task.FromResult(ScriptedClient.Say("yes")));
        var result = await ChatBatch.RunAsync(client, Calls(10), (_, _) => ValueTask.CompletedTask, concurrency: 1, stop: Cancel, cancellationToken: Cancel);
        Assert.Equal((end, 2, listed, 3), (result.End, result.Succeeded, result.Failures.Count, client.Attempts));
    }

    [Fact]
    public async Task Stopping_lets_the_calls_in_flight_come_to_their_end()
    {
        using var stop = new CancellationTokenSource();
        var arrived = new TaskCompletionSource();
        var (inFlight, answer) = (0, new TaskCompletionSource<ChatResponse>());
        using var client = new ScriptedClient((_, _) =>
        {
            if (Interlocked.Increment(ref inFlight) == 4) arrived.SetResult();
            return answer.Task;
        });
        var kept = new ConcurrentBag<string>();
        var batch = ChatBatch.RunAsync(client, Calls(100), (call, _) => Keep(kept, call), concurrency: 4, stop: stop.Token, cancellationToken: Cancel);
        await arrived.Task;
        await stop.CancelAsync();
        answer.SetResult(ScriptedClient.Say("yes"));
        var result = await batch;
        Assert.Equal((BatchEnd.Stopped, 4, 4, 4), (result.End, result.Succeeded, kept.Count, client.Attempts));
        Assert.Empty(result.Failures);
    }

    [Fact]
    public async Task Cancelling_drops_the_calls_in_flight_and_keeps_what_has_come()
    {
        using var cancel = new CancellationTokenSource();
        using var client = new ScriptedClient(async (attempt, token) =>
        {
            if (attempt <= 5) return ScriptedClient.Say("yes");
            await cancel.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
            return ScriptedClient.Say("no");
        });
        var kept = new ConcurrentBag<string>();
        var result = await ChatBatch.RunAsync(client, Calls(100), (call, _) => Keep(kept, call), concurrency: 2, stop: Cancel, cancellationToken: cancel.Token);
        Assert.Equal((BatchEnd.Stopped, 5, 5), (result.End, result.Succeeded, kept.Count));
        Assert.Empty(result.Failures);
    }

    [Fact]
    public async Task A_reply_that_cannot_be_kept_ends_the_batch_with_its_exception()
    {
        using var client = new ScriptedClient((_, _) => Task.FromResult(ScriptedClient.Say("yes")));
        await Assert.ThrowsAsync<IOException>(() => ChatBatch.RunAsync(client, Calls(100), (_, _) => throw new IOException("disk full"), concurrency: 1, stop: Cancel, cancellationToken: Cancel));
        Assert.Equal(1, client.Attempts);
    }

    private static ValueTask Keep(ConcurrentBag<string> kept, ChatCall call)
    {
        kept.Add(call.Id);
        return ValueTask.CompletedTask;
    }
}
