using Deliberate.Endpoints.Flow;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Deliberate.Endpoints.Tests.Flow;

public class FlowControlTests
{
    private static readonly FlowControlOptions Quick = new() { RetryDelay = TimeSpan.Zero, MaxRetryDelay = TimeSpan.Zero };

    private static readonly PriceTable Prices = new(new Dictionary<string, ModelPrice> { ["scripted"] = new(1, 10, 0.5m) });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static EndpointException Failure(FailureReason reason, TimeSpan? retryAfter = null) => new(reason, "it failed", retryAfter: retryAfter);

    private static (IChatClient Client, ScriptedClient Inner, FlowController Flow) Build(FlowControlOptions options, Func<int, CancellationToken, Task<ChatResponse>> answer)
    {
        var inner = new ScriptedClient(answer);
        var client = inner.AsBuilder().UseFlowControl(options).Build();
        return (client, inner, client.GetService<FlowController>()!);
    }

    private static Task<ChatResponse> AskAsync(IChatClient client, ChatOptions? options = null) => client.GetResponseAsync(ScriptedClient.Ask("hello"), options, Cancel);

    [Theory]
    [InlineData(FailureReason.RateLimited, true)]
    [InlineData(FailureReason.Overloaded, true)]
    [InlineData(FailureReason.ServerError, true)]
    [InlineData(FailureReason.Timeout, true)]
    [InlineData(FailureReason.Connection, true)]
    [InlineData(FailureReason.MalformedReply, true)]
    [InlineData(FailureReason.TruncatedReply, true)]
    [InlineData(FailureReason.RefusedKey, false)]
    [InlineData(FailureReason.RefusedRequest, false)]
    [InlineData(FailureReason.OutOfCredit, false)]
    public async Task What_may_pass_is_repeated_and_what_will_not_is_not(FailureReason reason, bool repeated)
    {
        var (client, inner, flow) = Build(Quick, (attempt, _) => attempt == 1 ? Task.FromException<ChatResponse>(Failure(reason)) : Task.FromResult(ScriptedClient.Say("yes")));
        if (repeated) Assert.Equal("yes", (await AskAsync(client)).Text);
        else Assert.Equal(reason, (await Assert.ThrowsAsync<EndpointException>(() => AskAsync(client))).Reason);
        Assert.Equal(repeated ? 2 : 1, inner.Attempts);
        var seen = flow.Snapshot();
        Assert.Equal((1, repeated ? 1 : 0, repeated ? 0 : 1, repeated ? 1 : 0), (seen.Calls, seen.Succeeded, seen.Failed, seen.Retries));
        Assert.Equal([KeyValuePair.Create(reason, 1)], seen.Failures);
        Assert.Equal(reason.MayBeBilled(), seen.UncertainTokens > 0);
        Assert.Equal((0, 0), (seen.InFlight, seen.Waiting));
    }

    [Fact]
    public async Task Repeats_are_bounded_and_the_failure_says_how_many()
    {
        var (client, inner, flow) = Build(Quick with { MaxRetries = 3 }, (_, _) => throw Failure(FailureReason.ServerError));
        Assert.Equal("it failed (after 4 attempts)", (await Assert.ThrowsAsync<EndpointException>(() => AskAsync(client))).Message);
        Assert.Equal((4, 4), (inner.Attempts, flow.Snapshot().Failures[FailureReason.ServerError]));
        (client, inner, _) = Build(Quick with { MaxRetries = 0 }, (_, _) => throw Failure(FailureReason.ServerError));
        await Assert.ThrowsAsync<EndpointException>(() => AskAsync(client));
        Assert.Equal(1, inner.Attempts);
    }

    [Fact]
    public async Task Waits_grow_and_vary_and_are_the_same_for_the_same_random_numbers()
    {
        async Task<TimeSpan> WaitedAsync(double random)
        {
            var time = new FakeTimeProvider();
            var start = time.GetUtcNow();
            var (client, _, _) = Build(new() { MaxRetries = 4, TimeProvider = time, Randomizer = () => random }, (_, _) => throw Failure(FailureReason.ServerError));
            await Assert.ThrowsAsync<EndpointException>(() => time.RunAsync(AskAsync(client), TimeSpan.FromMilliseconds(250)));
            return time.GetUtcNow() - start;
        }

        var (low, high) = (await WaitedAsync(0.1), await WaitedAsync(0.9));
        Assert.True(low < high);
        Assert.InRange(high, TimeSpan.FromSeconds(4), TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task A_server_s_own_wait_is_kept_by_all_calls()
    {
        var time = new FakeTimeProvider();
        var start = time.GetUtcNow();
        var sent = new List<TimeSpan>();
        var (client, _, _) = Build(new() { TimeProvider = time, Randomizer = () => 0 }, (attempt, _) =>
        {
            lock (sent) sent.Add(time.GetUtcNow() - start);
            return attempt == 1 ? Task.FromException<ChatResponse>(Failure(FailureReason.RateLimited, TimeSpan.FromSeconds(40))) : Task.FromResult(ScriptedClient.Say("yes"));
        });
        var first = AskAsync(client);
        var second = AskAsync(client);
        await time.RunAsync(Task.WhenAll(first, second), TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.Zero, sent[0]);
        Assert.All(sent.Skip(1), at => Assert.InRange(at, TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(43)));
        Assert.Equal(3, sent.Count);
    }

    [Fact]
    public async Task A_wait_that_is_too_long_is_a_failure()
    {
        var (client, inner, _) = Build(Quick, (_, _) => throw Failure(FailureReason.RateLimited, TimeSpan.FromHours(2)));
        Assert.Equal(TimeSpan.FromHours(2), (await Assert.ThrowsAsync<EndpointException>(() => AskAsync(client))).RetryAfter);
        Assert.Equal(1, inner.Attempts);
    }

    [Fact]
    public async Task A_call_that_takes_too_long_is_ended_and_repeated()
    {
        var time = new FakeTimeProvider();
        var (client, inner, flow) = Build(Quick with { TimeProvider = time, CallTimeout = TimeSpan.FromSeconds(5) }, async (attempt, token) =>
        {
            if (attempt == 1) await Task.Delay(Timeout.InfiniteTimeSpan, time, token);
            return ScriptedClient.Say("yes");
        });
        Assert.Equal("yes", (await time.RunAsync(AskAsync(client), TimeSpan.FromSeconds(1))).Text);
        Assert.Equal((2, 1), (inner.Attempts, flow.Snapshot().Failures[FailureReason.Timeout]));
    }

    [Fact]
    public async Task No_more_calls_are_in_flight_than_allowed()
    {
        var (now, most) = (0, 0);
        var (client, _, _) = Build(Quick with { MaxConcurrency = 3 }, async (_, token) =>
        {
            var inside = Interlocked.Increment(ref now);
            lock (Prices) most = Math.Max(most, inside);
            await Task.Delay(1, token);
            Interlocked.Decrement(ref now);
            return ScriptedClient.Say("yes");
        });
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => AskAsync(client)));
        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public async Task The_budget_is_never_passed_and_the_call_that_could_is_not_made()
    {
        var options = Quick with { MaxTokens = 500, MaxConcurrency = 8 };
        var (client, inner, flow) = Build(options, async (_, token) =>
        {
            await Task.Delay(1, token);
            return ScriptedClient.Say("yes", 10, 40);
        });
        var asked = Enumerable.Range(0, 40).Select(_ => Record.ExceptionAsync(() => AskAsync(client, new() { MaxOutputTokens = 100 })).AsTask());
        var ends = await Task.WhenAll(asked);
        var spent = flow.Snapshot();
        Assert.InRange(spent.InputTokens + spent.OutputTokens, 390, 500); // no more calls than fit, and not one fewer
        Assert.Equal(inner.Attempts, spent.Succeeded);
        Assert.All(ends.Where(end => end is not null), end => Assert.Contains("budget of 500 tokens", Assert.IsType<BudgetExceededException>(end).Message, StringComparison.Ordinal));
        Assert.Equal(40, inner.Attempts + ends.Count(end => end is not null));
    }

    [Fact]
    public async Task Money_is_counted_by_the_price_table_and_capped()
    {
        var options = Quick with { Prices = Prices, MaxCost = 0.004m, DefaultOutputTokens = 100 };
        var (client, inner, flow) = Build(options, (_, _) => Task.FromResult(ScriptedClient.Say("yes", 100, 100)));
        await AskAsync(client);
        Assert.Equal(0.0011m, flow.Snapshot().Cost);
        await AskAsync(client);
        await AskAsync(client);
        Assert.Contains("0.004 USD", (await Assert.ThrowsAsync<BudgetExceededException>(() => AskAsync(client))).Message, StringComparison.Ordinal);
        Assert.Equal(3, inner.Attempts);
        Assert.Throws<ArgumentException>(() => Build(options with { Prices = new(new Dictionary<string, ModelPrice>()) }, (_, _) => throw Failure(default)));
        Assert.Throws<ArgumentException>(() => Build(options with { Prices = null }, (_, _) => throw Failure(default)));
    }

    [Fact]
    public async Task What_was_spent_before_counts()
    {
        var (client, inner, _) = Build(Quick with { MaxTokens = 1000, TokensTakenBefore = 950, DefaultOutputTokens = 100 }, (_, _) => Task.FromResult(ScriptedClient.Say("yes")));
        await Assert.ThrowsAsync<BudgetExceededException>(() => AskAsync(client));
        Assert.Equal(0, inner.Attempts);
    }

    [Fact]
    public void Prices_are_found_for_dated_names_and_cached_tokens_cost_their_own()
    {
        Assert.Equal(Prices.Find("scripted"), Prices.Find("scripted-2026-01-01"));
        Assert.Null(Prices.Find("other-1"));
        Assert.Equal(0.75m + 10, Prices.Find("scripted")!.Of(1_000_000, 1_000_000, 500_000));
    }

    [Fact]
    public void A_set_of_calls_is_estimated_before_the_first()
    {
        var (_, inner, flow) = Build(new() { Prices = Prices, MaxCost = 1, RequestsPerMinute = 10 }, (_, _) => throw Failure(default));
        var calls = Enumerable.Range(0, 100).Select(i => new ChatCall($"{i}", ScriptedClient.Ask(new string('a', 276)), new() { MaxOutputTokens = 1000 }));
        var estimate = flow.Estimate(calls, "scripted", typicalOutputTokens: 200);
        Assert.Equal((100, 10_000L, 100_000L, 20_000L), (estimate.Calls, estimate.InputTokens, estimate.MostOutputTokens, estimate.LikelyOutputTokens));
        Assert.Equal((1.01m, 0.21m, TimeSpan.FromMinutes(10), false), (estimate.MostCost, estimate.LikelyCost, estimate.LeastTime, estimate.WithinBudget));
        Assert.Equal("100 calls, about 10000 tokens in, about 20000 and at most 100000 out, about 0.21 and at most 1.01 USD, 00:10:00 or more; the budget may not hold them all", estimate.ToString());
        Assert.Equal(0, inner.Attempts);
    }

    [Fact]
    public async Task A_stream_is_limited_counted_and_repeated_until_it_has_begun()
    {
        var (client, inner, flow) = Build(Quick, (attempt, _) => attempt == 1 ? Task.FromException<ChatResponse>(Failure(FailureReason.Overloaded)) : Task.FromResult(ScriptedClient.Say("yes")));
        var response = await client.GetStreamingResponseAsync(ScriptedClient.Ask("hello"), null, Cancel).ToChatResponseAsync(Cancel);
        var seen = flow.Snapshot();
        Assert.Equal(("yes", 2, 1, 10L, 5L, 0), (response.Text, inner.Attempts, seen.Succeeded, seen.InputTokens, seen.OutputTokens, seen.InFlight));
    }

    [Fact]
    public async Task A_reader_that_leaves_a_stream_gives_its_place_back()
    {
        var (client, _, flow) = Build(Quick, (_, _) => Task.FromResult(ScriptedClient.Say("yes")));
        await foreach (var _ in client.GetStreamingResponseAsync(ScriptedClient.Ask("hello"), null, Cancel)) break;
        Assert.Equal((0, 0), (flow.Snapshot().InFlight, flow.Snapshot().Succeeded));
    }

    [Fact]
    public async Task A_call_that_is_stopped_is_no_failure()
    {
        using var stop = new CancellationTokenSource();
        var (client, _, flow) = Build(Quick, async (_, token) =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
            return ScriptedClient.Say("yes");
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetResponseAsync(ScriptedClient.Ask("hello"), null, stop.Token));
        var seen = flow.Snapshot();
        Assert.Equal((1, 0, 0, 0), (seen.Cancelled, seen.Failed, seen.Failures.Count, seen.InFlight));
    }

    [Fact]
    public async Task What_is_wrong_with_a_call_itself_is_neither_repeated_nor_billed()
    {
        var (client, inner, flow) = Build(Quick, (_, _) => throw new NotSupportedException("no"));
        await Assert.ThrowsAsync<NotSupportedException>(() => AskAsync(client));
        Assert.Equal((1, 0L, 1), (inner.Attempts, flow.Snapshot().UncertainTokens, flow.Snapshot().Failed));
    }

    [Fact]
    public async Task Progress_shows_rate_and_time_left()
    {
        var time = new FakeTimeProvider();
        var (client, _, flow) = Build(Quick with { TimeProvider = time, Prices = Prices }, (attempt, _) =>
        {
            time.Advance(TimeSpan.FromSeconds(3));
            return Task.FromResult(ScriptedClient.Say("yes", null, null));
        });
        flow.Expect(30);
        for (var i = 0; i < 10; i++) await AskAsync(client);
        var seen = flow.Snapshot();
        Assert.Equal((20, 20.0, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1)), (seen.Left, seen.CallsPerMinute, seen.Elapsed, seen.TimeLeft));
        Assert.Equal("10 of 30 calls, 100 tokens in, 10 out, 0.0002 USD, 20 a minute, 00:01:00 left", seen.ToString());
    }
}
