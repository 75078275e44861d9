using CsCheck;
using Deliberate.Endpoints.Flow;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Deliberate.Endpoints.Tests.Flow;

public class GateTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_more_are_inside_than_allowed_and_the_first_to_come_is_the_first_to_go()
    {
        var gate = new ConcurrencyGate(2, adaptive: true);
        var tickets = new[] { await gate.EnterAsync(Cancel), await gate.EnterAsync(Cancel) };
        var (third, fourth) = (gate.EnterAsync(Cancel), gate.EnterAsync(Cancel));
        Assert.False(third.IsCompleted);
        gate.Exit(tickets[0], true);
        await third;
        Assert.False(fourth.IsCompleted);
        Assert.Equal((2, 1), (gate.Inside, gate.Waiting));
    }

    [Fact]
    public async Task Who_leaves_while_waiting_takes_no_place()
    {
        var gate = new ConcurrencyGate(1, adaptive: true);
        var ticket = await gate.EnterAsync(Cancel);
        using var leave = new CancellationTokenSource();
        var left = gate.EnterAsync(leave.Token);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        gate.Exit(ticket, null);
        Assert.Equal(0, gate.Inside);
        await gate.EnterAsync(Cancel);
    }

    [Fact]
    public async Task The_limit_is_halved_once_for_calls_that_were_in_flight_together_and_grows_while_all_goes_well()
    {
        var gate = new ConcurrencyGate(8, adaptive: true);
        var tickets = new List<int>();
        for (var i = 0; i < 8; i++) tickets.Add(await gate.EnterAsync(Cancel));
        foreach (var ticket in tickets) gate.Exit(ticket, false);
        Assert.Equal(4, gate.Limit);
        gate.Exit(await gate.EnterAsync(Cancel), false);
        Assert.Equal(2, gate.Limit);
        for (var i = 0; i < 100; i++) gate.Exit(await gate.EnterAsync(Cancel), true);
        Assert.Equal(8, gate.Limit);
        for (var i = 0; i < 100; i++) gate.Exit(await gate.EnterAsync(Cancel), false);
        Assert.Equal(1, gate.Limit);
    }

    [Fact]
    public void Whatever_happens_the_gate_is_left_empty_and_never_too_full() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[0, 3].Array[0, 60]).Sample((most, steps) =>
        {
            var gate = new ConcurrencyGate(most, adaptive: true);
            var inside = new Queue<Task<int>>();
            foreach (var step in steps)
            {
                if (step == 0 || inside.Count == 0) inside.Enqueue(gate.EnterAsync(CancellationToken.None));
                else gate.Exit(inside.Dequeue().GetAwaiter().GetResult(), step switch { 1 => true, 2 => false, _ => null });
                Assert.InRange(gate.Inside, 0, most);
                Assert.InRange(gate.Limit, 1, most);
            }

            while (inside.TryDequeue(out var task)) gate.Exit(task.GetAwaiter().GetResult(), true);
            Assert.Equal((0, 0), (gate.Inside, gate.Waiting));
        }, iter: 200, threads: 1);

    [Fact]
    public async Task No_minute_holds_more_requests_or_tokens_than_allowed()
    {
        var time = new FakeTimeProvider();
        using var gate = new RateGate(5, 1000, time);
        var sent = new List<(DateTimeOffset At, long Tokens)>();
        var work = Task.Run(async () =>
        {
            foreach (var tokens in new long[] { 10, 10, 10, 10, 10, 10, 600, 300, 600, 10, 10, 10, 10, 10, 1500, 10 })
            {
                await gate.EnterAsync(tokens, Cancel);
                sent.Add((time.GetUtcNow(), tokens));
            }
        }, Cancel);
        await time.RunAsync(work, TimeSpan.FromSeconds(7));
        Assert.All(sent, first =>
        {
            var minute = sent.Where(entry => entry.At >= first.At && entry.At - first.At < TimeSpan.FromMinutes(1)).ToList();
            Assert.InRange(minute.Count, 1, 5);
            Assert.True(minute.Count == 1 || minute.Sum(entry => entry.Tokens) <= 1000);
        });
    }

    [Fact]
    public async Task What_a_call_did_not_take_is_free_for_others()
    {
        using var gate = new RateGate(null, 1000, new FakeTimeProvider());
        var entry = await gate.EnterAsync(900, Cancel);
        gate.Settle(entry, 100);
        Assert.True(gate.EnterAsync(900, Cancel).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Nothing_is_sent_while_the_server_has_asked_to_wait()
    {
        var time = new FakeTimeProvider();
        using var gate = new RateGate(null, null, time);
        gate.Pause(TimeSpan.FromSeconds(30));
        var start = time.GetUtcNow();
        await time.RunAsync(gate.EnterAsync(1, Cancel), TimeSpan.FromSeconds(1));
        Assert.InRange(time.GetUtcNow() - start, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(32));
    }
}
