using System.Diagnostics.Metrics;
using Deliberate.Conversations;
using Deliberate.Judging;
using Deliberate.Prompts;
using Deliberate.Rewards;
using Deliberate.Server.Rewards;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

public class RewardScorerTests
{
    private readonly FakeTimeProvider _time = new();

    private static RewardQuery Query(string answer, string? category = null) => new(Conversation.FromUser("How do I prune a rose?"), new("thought", answer), category);

    private RewardScorer Scorer(IAnswerJudge judge, RewardOptions? options = null)
    {
        var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        return new(judge, RewardHost.Policy, options ?? new(), _time, new(services.GetRequiredService<IMeterFactory>()));
    }

    [Fact]
    public async Task An_item_that_finds_the_judge_idle_goes_at_once_and_those_after_it_gather()
    {
        var judge = new ScriptedJudge { Gate = new() };
        using var scorer = Scorer(judge, new() { BatchSize = 4, BatchWindow = TimeSpan.FromSeconds(1) });
        var first = scorer.ScoreAsync(Query("0"), "test").AsTask();
        Assert.Equal([1], judge.Batches);
        var others = Enumerable.Range(1, 5).Select(number => scorer.ScoreAsync(Query($"{number}"), "test").AsTask()).ToArray();
        Assert.Equal([1, 4], judge.Batches);
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal([1, 4], judge.Batches);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal([1, 4, 1], judge.Batches);
        judge.Gate.SetResult();
        Assert.All(await Task.WhenAll([first, .. others]), outcome => Assert.Equal(1, outcome.Score));
    }

    [Fact]
    public async Task Items_that_come_while_a_judge_is_about_to_answer_do_not_wait_for_others()
    {
        using var both = new Barrier(2);
        var judge = new ScriptedJudge((_, _) => new Verdict(both.SignalAndWait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken) ? 1 : 0, "because"));
        using var scorer = Scorer(judge);
        var outcomes = await Task.WhenAll(new[] { "a", "b" }.Select(answer => Task.Run(() => scorer.ScoreAsync(Query(answer), "test").AsTask(), TestContext.Current.CancellationToken)));
        Assert.All(outcomes, outcome => Assert.Equal(1, outcome.Score));
    }

    [Fact]
    public async Task No_more_calls_than_allowed_are_under_way()
    {
        var judge = new ScriptedJudge { Gate = new() };
        using var scorer = Scorer(judge, new() { BatchSize = 2, MaxBatches = 2, BatchWindow = TimeSpan.Zero });
        var all = Enumerable.Range(0, 9).Select(number => scorer.ScoreAsync(Query($"{number}"), "test").AsTask()).ToArray();
        Assert.Equal(2, judge.Batches.Count);
        judge.Gate.SetResult();
        Assert.All(await Task.WhenAll(all), outcome => Assert.Equal(1, outcome.Score));
        Assert.Equal(9, judge.Batches.Sum());
        Assert.All(judge.Batches, size => Assert.InRange(size, 1, 2));
    }

    [Fact]
    public async Task An_item_that_takes_too_long_is_unscored_and_its_late_verdict_found_by_the_next_try()
    {
        var judge = new ScriptedJudge(0.5) { Gate = new() };
        using var scorer = Scorer(judge, new() { ItemTimeout = TimeSpan.FromSeconds(10) });
        var waiting = scorer.ScoreAsync(Query("slow"), "test").AsTask();
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((null, VerdictKinds.TimedOut), await waiting is var outcome ? (outcome.Score, outcome.Failure) : default);
        judge.Gate.SetResult();
        for (var tries = 0; tries < 1000 && (await scorer.ScoreAsync(Query("slow"), "test")).Score is null; tries++) await Task.Delay(1, TestContext.Current.CancellationToken);
        Assert.Equal(0.5, (await scorer.ScoreAsync(Query("slow"), "test")).Score);
        Assert.InRange(judge.Seen.Count, 1, 2);
    }

    [Fact]
    public async Task A_verdict_that_comes_after_the_limit_is_handed_over()
    {
        var judge = new ScriptedJudge(0.5) { Gate = new() };
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var queue = new JudgeQueue(judge, new() { ItemTimeout = TimeSpan.FromSeconds(10) }, _time, new(services.GetRequiredService<IMeterFactory>()));
        var late = new TaskCompletionSource<Outcome>();
        var waiting = queue.JudgeAsync(RewardItem.Of("a", Conversation.FromUser("How?"), new("", "So."), RewardHost.Policy.Spec("locks"), new(requireThinking: false)), late.SetResult);
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(VerdictKinds.TimedOut, (await waiting).Failure);
        judge.Gate.SetResult();
        Assert.Equal(0.5, (await late.Task).Score);
    }

    [Fact]
    public async Task An_item_that_is_given_up_while_it_waits_is_never_judged()
    {
        var judge = new ScriptedJudge { Gate = new() };
        using var scorer = Scorer(judge, new() { MaxBatches = 1, ItemTimeout = TimeSpan.FromSeconds(10), QueueLimit = 1 });
        _ = scorer.ScoreAsync(Query("first"), "test").AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        var waiting = scorer.ScoreAsync(Query("waits"), "test").AsTask();
        Assert.Equal(Failures.Overloaded, (await scorer.ScoreAsync(Query("too many"), "test")).Failure);
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(VerdictKinds.TimedOut, (await waiting).Failure);
        var third = scorer.ScoreAsync(Query("third"), "test").AsTask();
        judge.Gate.SetResult();
        Assert.Equal(1, (await third).Score);
        Assert.DoesNotContain(judge.Seen, seen => seen.View.Answer == "waits");
    }

    [Fact]
    public async Task A_judge_that_never_returns_loses_its_place()
    {
        var judge = new ScriptedJudge { Gate = new() };
        using var scorer = Scorer(judge, new() { MaxBatches = 1, ItemTimeout = TimeSpan.FromSeconds(10) });
        var hangs = scorer.ScoreAsync(Query("hangs"), "test").AsTask();
        _time.Advance(TimeSpan.FromSeconds(45));
        Assert.Null((await hangs).Score);
        var next = scorer.ScoreAsync(Query("next"), "test").AsTask();
        Assert.Single(judge.Seen);
        _time.Advance(TimeSpan.FromSeconds(6));
        for (var tries = 0; tries < 1000 && judge.Seen.Count < 2; tries++) await Task.Delay(1, TestContext.Current.CancellationToken);
        judge.Gate.SetResult();
        Assert.Equal(1, (await next).Score);
    }

    [Fact]
    public async Task The_same_answer_is_judged_once_and_another_category_anew()
    {
        var judge = new ScriptedJudge(0.5);
        using var scorer = Scorer(judge);
        for (var i = 0; i < 3; i++) Assert.Equal(0.5, (await scorer.ScoreAsync(Query("same", "gardens"), "test")).Score);
        Assert.Single(judge.Seen);
        await scorer.ScoreAsync(Query("same", "locks"), "test");
        await scorer.ScoreAsync(Query("same"), "test");
        await scorer.ScoreAsync(Query("same") with { Conversation = Conversation.FromUser("Another question") }, "test");
        await scorer.ScoreAsync(Query("same") with { Completion = new("another thought", "same") }, "test");
        Assert.Equal(4, judge.Seen.Count);
        Assert.Equal(4, judge.Seen.Select(seen => seen.Id).Distinct().Count());
    }

    [Fact]
    public async Task What_is_unscored_is_judged_again_with_another_id()
    {
        var count = 0;
        var judge = new ScriptedJudge((_, _) => Interlocked.Increment(ref count) < 3 ? Verdict.Unscored(VerdictKinds.Unparsable, "") : new(1, ""));
        using var scorer = Scorer(judge);
        Assert.Null((await scorer.ScoreAsync(Query("a"), "test")).Score);
        Assert.Null((await scorer.ScoreAsync(Query("a"), "test")).Score);
        Assert.Equal(1, (await scorer.ScoreAsync(Query("a"), "test")).Score);
        Assert.Equal(1, (await scorer.ScoreAsync(Query("a"), "test")).Score);
        Assert.Equal(3, judge.Seen.Select(seen => seen.Id).Distinct().Count());
        Assert.Equal(3, judge.Seen.Count);
    }

    [Fact]
    public async Task An_answer_that_repeats_the_policy_and_one_without_a_demanded_thought_are_malformed()
    {
        var judge = new ScriptedJudge();
        using var scorer = Scorer(judge, new() { RequireThinking = true });
        Assert.NotNull((await scorer.ScoreAsync(Query("Clause L1 forbids it.", "locks"), "test")).Malformed);
        Assert.Equal("no thought", (await scorer.ScoreAsync(Query("So.") with { Completion = new("", "So.") }, "test")).Malformed);
        Assert.Empty(judge.Seen);
    }

    [Theory]
    [InlineData("""{"categories":["locks"]}""", "locks", null)]
    [InlineData("""{"categories":[]}""", null, null)]
    [InlineData("I cannot say.", null, Failures.Unlabelled)]
    public async Task A_labeller_says_the_category_where_nobody_else_does(string reply, string? category, string? failure)
    {
        var judge = new ScriptedJudge();
        using var client = new Replying(reply);
        using var scorer = Scorer(judge, new() { Labeller = new CategoryLabeller(client, RewardHost.Policy) });
        var outcome = await scorer.ScoreAsync(Query("a"), "test");
        await scorer.ScoreAsync(Query("b"), "test");
        Assert.Equal(failure, outcome.Failure);
        Assert.Equal(failure is null ? 1 : 2, client.Calls);
        if (failure is null) Assert.All(judge.Seen, seen => Assert.Equal(category, seen.Spec.Category));
        await scorer.ScoreAsync(Query("c", "gardens"), "test");
        Assert.Equal("gardens", judge.Seen.Last().Spec.Category);
    }

    [Fact]
    public async Task When_the_server_stops_what_waits_is_unscored()
    {
        var judge = new ScriptedJudge { Gate = new() };
        var scorer = Scorer(judge, new() { MaxBatches = 1 });
        var all = new[] { scorer.ScoreAsync(Query("a"), "test").AsTask(), scorer.ScoreAsync(Query("b"), "test").AsTask() };
        scorer.Dispose();
        Assert.All(await Task.WhenAll(all), outcome => Assert.Equal(Failures.Stopped, outcome.Failure));
        Assert.Equal(Failures.Stopped, (await scorer.ScoreAsync(Query("c"), "test")).Failure);
    }

    [Fact]
    public void Options_out_of_range_and_unknown_categories_are_refused_at_the_start()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Scorer(new ScriptedJudge(), new() { BatchSize = 0 }));
        Assert.Throws<Deliberate.Policies.PolicyException>(() => Scorer(new ScriptedJudge(), new() { DefaultCategory = "kitchens" }));
        Assert.Throws<Deliberate.Policies.PolicyException>(() => Scorer(new ScriptedJudge(), new() { SpecTokenBudget = 3 }));
    }

    private sealed class Replying(string text) : IChatClient
    {
        public int Calls { get; private set; }

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            Calls++;
            return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, text)));
        }

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
