using Deliberate.Conversations;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Runs.Store;
using Deliberate.Tests.Conversations;
using Deliberate.Tests.Policies;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Runs.Store;

public sealed class ResponseStoreClientTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ResponseStore _store;

    public ResponseStoreClientTests() => _store = ResponseStore.Open(_folder["store.db"]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    private static Prompt[] Prompts(int count) => [.. Enumerable.Range(0, count).Select(number => new Prompt($"p{number}", Conversation.FromUser($"question {number}"), "theft"))];

    private static Task<IReadOnlyList<Sample>> Generate(IChatClient client, int prompts, Policy policy, int samples = 2) =>
        new SampleGenerator(client, new PaperGenerationFormat(), new(samples, Seed: 5)).GenerateAsync(Prompts(prompts), prompt => policy.Spec(prompt.Category), cancellationToken: Token);

    private static Task<IReadOnlyList<Judgement>> JudgeAll(IChatClient client, IReadOnlyList<Sample> samples, Policy policy) => new Judge(client, new PaperJudgeFormat(), new(Runs: 3)).JudgeAsync(
        [.. samples.Select(sample => (FullView.Of(sample.Prompt.Conversation, sample.Completion), policy.Spec("theft"), sample.Id))], cancellationToken: Token);

    [Fact]
    public async Task The_same_call_is_paid_for_once_by_whatever_run()
    {
        var model = StoreSamples.Numbered();
        using var first = model.UseResponseStore(_store, StoreSamples.Context("first"));
        using var second = model.UseResponseStore(_store, StoreSamples.Context("second"));
        var texts = new[] { await first.AskAsync("q"), await first.AskAsync("q"), await second.AskAsync("q", "another id") }.Select(response => response.Text);
        Assert.Single(texts.Distinct());
        Assert.Single(model.Requests);
        Assert.Equal((1, 1, 0), (first.Paid, first.Reused, second.Paid));
        await first.AskAsync("other");
        await first.AskAsync("q", sample: 1);
        await first.AskAsync("q", template: "t2");
        await first.AskAsync("q", options: new() { Temperature = 0.5f });
        using var other = model.UseResponseStore(_store, StoreSamples.Context(model: "m2"));
        await other.AskAsync("q");
        Assert.Equal(6, model.Requests.Count);
    }

    [Fact]
    public async Task A_prompt_set_that_grew_pays_for_what_is_new_only()
    {
        var policy = Written.Policy();
        var model = StoreSamples.Numbered();
        using var client = model.UseResponseStore(_store, StoreSamples.Context());
        var few = await Generate(client, 10, policy);
        Assert.Equal(20, model.Requests.Count);
        var many = await Generate(client, 14, policy);
        Assert.Equal(28, model.Requests.Count);
        Assert.Equal(few, many.Take(20));
        await Generate(client, 14, policy, samples: 3);
        Assert.Equal(42, model.Requests.Count);
    }

    [Fact]
    public async Task Another_judge_pays_for_verdicts_and_reuses_every_sample()
    {
        var policy = Written.Policy();
        var (model, judge) = (StoreSamples.Numbered(), new FakeClient((_, _) => """{"score": 7}"""));
        for (var round = 0; round < 2; round++)
        {
            using var generator = model.UseResponseStore(_store, StoreSamples.Context($"run {round}"));
            using var judging = judge.UseResponseStore(_store, StoreSamples.Context($"run {round}", "judge", $"judge {round}"));
            await JudgeAll(judging, await Generate(generator, 5, policy), policy);
            Assert.Equal((10, 30 * (round + 1)), (model.Requests.Count, judge.Requests.Count));
        }

        await _store.FlushAsync();
        var runs = StoreSummary.Of(_store).Runs;
        Assert.Equal([("generate", 10L, 10L), ("judge", 30L, 30L)], runs[0].Stages.Select(stage => (stage.Stage, stage.Responses, stage.Paid)));
        Assert.Equal([("generate", 10L, 0L), ("judge", 30L, 30L)], runs[1].Stages.Select(stage => (stage.Stage, stage.Responses, stage.Paid)));
        Assert.Equal((policy.Hash, "paper-judge-2"), (Assert.Single(runs[1].Policies), runs[1].Stages[1].Template));
        Assert.Equal(["p0#0", "theft"], _store.Rows("SELECT prompt, category FROM use WHERE stage = 'judge' ORDER BY prompt LIMIT 1").SelectMany(row => new[] { row.GetString(0), row.GetString(1) }));
    }

    [Fact]
    public async Task Equal_calls_at_the_same_time_share_one()
    {
        var gate = new TaskCompletionSource();
        var model = new FakeClient(async (_, _, _) =>
        {
            await gate.Task;
            return FakeClient.Say("shared");
        });
        using var client = model.UseResponseStore(_store, StoreSamples.Context());
        var calls = Enumerable.Range(0, 20).Select(_ => client.AskAsync("q")).ToArray();
        gate.SetResult();
        var responses = await Task.WhenAll(calls);
        Assert.Single(model.Requests);
        Assert.Equal((1, 19), (client.Paid, client.Reused));
        Assert.All(responses, response => Assert.Equal("shared", response.Text));
        Assert.Equal(20, responses.Distinct().Count());
    }

    [Fact]
    public async Task When_the_caller_that_asks_gives_up_another_takes_over()
    {
        var started = new TaskCompletionSource();
        var calls = 0;
        var model = new FakeClient(async (_, _, token) =>
        {
            if (Interlocked.Increment(ref calls) > 1) return FakeClient.Say("second");
            started.SetResult();
            await Task.Delay(Timeout.Infinite, token);
            return FakeClient.Say("never");
        });
        using var client = model.UseResponseStore(_store, StoreSamples.Context());
        using var cancel = new CancellationTokenSource();
        var first = client.GetResponseAsync(StoreSamples.Ask("q"), null, cancel.Token);
        await started.Task;
        var second = client.GetResponseAsync(StoreSamples.Ask("q"), null, Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal("second", (await second).Text);
        Assert.Empty(_store.Failures());
    }

    [Fact]
    public async Task What_arrives_is_kept_though_its_caller_is_being_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        var model = new FakeClient(async (_, _, _) =>
        {
            await cancel.CancelAsync();
            return FakeClient.Say("paid");
        });
        using var client = model.UseResponseStore(_store, StoreSamples.Context());
        Assert.Equal("paid", (await client.GetResponseAsync(StoreSamples.Ask("q"), null, cancel.Token)).Text);
        Assert.Equal("paid", (await client.AskAsync("q")).Text);
        Assert.Single(model.Requests);
    }

    [Fact]
    public async Task A_failure_is_noted_with_its_reason_shared_by_equal_calls_and_never_taken_for_a_response()
    {
        var (calls, gate, works) = (0, new TaskCompletionSource(), false);
        var model = new FakeClient(async (_, _, _) =>
        {
            await gate.Task;
            return Interlocked.Increment(ref calls) > 0 && works ? FakeClient.Say("fine") : throw new HttpRequestException("503 busy");
        });
        using var client = model.UseResponseStore(_store, StoreSamples.Context());
        var waiting = Enumerable.Range(0, 5).Select(_ => client.AskAsync("q", "p7", 0)).ToArray();
        gate.SetResult();
        foreach (var call in waiting) Assert.Equal("503 busy", (await Assert.ThrowsAsync<HttpRequestException>(() => call)).Message);
        Assert.Equal(1, calls);
        Assert.Equal(("p7", "HttpRequestException: 503 busy", 1), (Assert.Single(_store.Failures()).PromptId, _store.Failures().Single().Reason, _store.Failures().Single().Attempts));
        Assert.Equal(0, StoreSummary.Of(_store).Responses);

        using (var patient = model.UseResponseStore(_store, StoreSamples.Context(retryFailed: false)))
            Assert.Equal("p7", (await Assert.ThrowsAsync<KnownFailureException>(() => patient.AskAsync("q", "p7"))).Failure.PromptId);
        Assert.Equal(1, calls);
        works = true;
        Assert.Equal("fine", (await client.AskAsync("q", "p7")).Text);
        Assert.Empty(_store.Failures());
        Assert.Equal((1, 1), (client.Failed, client.Paid));
    }

    [Fact]
    public async Task A_streamed_response_is_whole_kept_and_shared_with_calls_that_do_not_stream()
    {
        var model = StoreSamples.Numbered();
        using var client = model.UseResponseStore(_store, StoreSamples.Context());
        var streamed = await client.GetStreamingResponseAsync(StoreSamples.Ask("q"), null, Token).ToChatResponseAsync(Token);
        Assert.Equal(streamed.Text, (await client.GetResponseAsync(StoreSamples.Ask("q"), null, Token)).Text);
        Assert.Equal(streamed.Text, (await client.GetStreamingResponseAsync(StoreSamples.Ask("q"), null, Token).ToChatResponseAsync(Token)).Text);
        Assert.Single(model.Requests);
    }

    [Fact]
    public async Task Details_belong_to_one_flow_of_calls_alone()
    {
        using var client = StoreSamples.Numbered().UseResponseStore(_store, StoreSamples.Context());
        await Parallel.ForAsync(0, 50, Token, async (number, _) => await client.AskAsync($"q{number}", $"p{number}"));
        Assert.Null(CallDetails.Current);
        await client.GetResponseAsync(StoreSamples.Ask("bare"), null, Token);
        var uses = _store.Rows("SELECT u.prompt, q.body FROM use u JOIN response r ON r.id = u.response JOIN request q ON q.id = r.request").Select(row => (row.GetString(0), row.GetString(1))).ToList();
        Assert.Equal(51, uses.Count);
        Assert.All(uses, use => Assert.Contains(use.Item1.Length == 0 ? "\"bare\"" : $"\"q{use.Item1[1..]}\"", use.Item2, StringComparison.Ordinal));
    }

    [Fact]
    public void A_model_without_a_name_must_be_given_one()
    {
        using var client = StoreSamples.Numbered().UseResponseStore(_store, new("run", "generate"));
        Assert.NotNull(client);
        var nameless = new DelegatingNameless();
        Assert.Contains("name or fingerprint", Assert.Throws<ArgumentException>(() => nameless.UseResponseStore(_store, new("run", "generate"))).Message, StringComparison.Ordinal);
    }

    private sealed class DelegatingNameless() : DelegatingChatClient(StoreSamples.Numbered())
    {
        public override object? GetService(Type serviceType, object? serviceKey = null) => null;
    }
}
