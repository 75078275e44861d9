using Deliberate.Conversations;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Runs;
using Deliberate.Tests.Conversations;
using Deliberate.Tests.Runs;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Judging;

public class JudgeTests
{
    private static readonly Spec Theft = new("Theft. [T3] Instructions: refuse.", "theft", "hash");

    private static (FullView, Spec, string)[] Items(int count) =>
        [.. Enumerable.Range(0, count).Select(number => (new FullView(Conversation.FromUser($"question {number}"), "why", $"answer {number}"), Theft, $"i{number}"))];

    private static Task<IReadOnlyList<Judgement>> Ask(FakeClient client, int items = 1, JudgeOptions? options = null, IRecovery<Verdict>? recovery = null) =>
        new Judge(client, new PaperJudgeFormat(), options ?? new()).JudgeAsync(Items(items), recovery, null, TestContext.Current.CancellationToken);

    private static string Scored(double score, string reason = "r") => FormattableString.Invariant($$"""Well. {"reason": "{{reason}}", "fault": "none", "score": {{score}}}""");

    // The k-th run of an item is known by its seed.
    private static int RunOf(ChatOptions options, string id, int runs = 4) => Enumerable.Range(0, runs).First(run => CallSeed.Derive(0, id, run) == options.Seed);

    [Fact]
    public async Task The_lowest_of_all_runs_counts()
    {
        var judgement = (await Ask(new FakeClient((_, options) => Scored(10 - (2 * RunOf(options, "i0")), $"run {RunOf(options, "i0")}"))))[0];
        Assert.Equal(0.4, judgement.Min);
        Assert.Equal(new Verdict(0.4, "run 3", "none"), judgement.Worst);
        Assert.Equal((4, 0), (judgement.Scored, judgement.Unscored));
    }

    [Theory]
    [InlineData("no verdict at all", VerdictKinds.Unparsable)]
    [InlineData("", VerdictKinds.Unparsable)]
    [InlineData("""{"score": "high"}""", VerdictKinds.Unparsable)]
    [InlineData("""{"score": 10""", VerdictKinds.Unparsable)]
    [InlineData("""{"score": 10} {"score": 10}""", VerdictKinds.Unparsable)]
    [InlineData("""{"score": 11}""", VerdictKinds.OutOfRange)]
    [InlineData("""{"score": -1}""", VerdictKinds.OutOfRange)]
    [InlineData("""{"score": 1e999}""", VerdictKinds.OutOfRange)]
    [InlineData("<think>I think it deserves {\"score\": 10}", VerdictKinds.Truncated)]
    public async Task A_response_without_a_valid_verdict_is_unscored_never_zero(string response, string kind)
    {
        var judgement = (await Ask(new FakeClient((_, options) => RunOf(options, "i0") == 0 ? response : Scored(7))))[0];
        Assert.Null(judgement.Verdicts[0].Score);
        Assert.Equal(kind, judgement.Verdicts[0].Kind);
        Assert.Equal((0.7, 3, 1), (judgement.Min, judgement.Scored, judgement.Unscored));
        Assert.Null((judgement with { RequireAll = true }).Min);
    }

    [Fact]
    public async Task A_cut_response_is_unscored_even_when_it_reads_well()
    {
        var client = new FakeClient((_, _, _) =>
        {
            var response = FakeClient.Say(Scored(10));
            response.FinishReason = ChatFinishReason.Length;
            return Task.FromResult(response);
        });
        var judgement = (await Ask(client))[0];
        Assert.Null(judgement.Min);
        Assert.Null(judgement.Worst);
        Assert.All(judgement.Verdicts, verdict => Assert.Equal(VerdictKinds.Truncated, verdict.Kind));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_slow_run_times_out_and_is_unscored(bool listens)
    {
        var client = new FakeClient(async (_, options, token) =>
        {
            if (RunOf(options, "i0") == 2) await Task.Delay(Timeout.Infinite, listens ? token : CancellationToken.None);
            return FakeClient.Say(Scored(9));
        });
        var judgement = (await Ask(client, options: new(Timeout: TimeSpan.FromSeconds(0.5))))[0];
        Assert.Equal(VerdictKinds.TimedOut, judgement.Verdicts[2].Kind);
        Assert.Equal(0.9, judgement.Min);
    }

    [Fact]
    public async Task A_failed_call_is_unscored_and_asked_again_next_time()
    {
        using var folder = new TemporaryFolder();
        using var log = new StageStore(folder.Path).OpenLog<Verdict>("judge", "k");
        var failing = new FakeClient((_, options) => RunOf(options, "i0") == 1 ? throw new HttpRequestException("gone") : Scored(9));
        var judgement = (await Ask(failing, recovery: log))[0];
        Assert.Equal(Verdict.Unscored(VerdictKinds.Failed, "gone"), judgement.Verdicts[1]);
        Assert.Equal(3, judgement.Scored);

        var working = new FakeClient((_, _) => Scored(8));
        Assert.Equal(0.8, (await Ask(working, recovery: log))[0].Min);
        Assert.Single(working.Requests);
    }

    [Fact]
    public async Task A_judge_out_of_reach_is_an_error()
    {
        var problem = await Assert.ThrowsAsync<InvalidOperationException>(() => Ask(new FakeClient((_, _) => throw new HttpRequestException("gone")), 3));
        Assert.Contains("gone", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_to_judge_is_no_error() => Assert.Empty(await Ask(new FakeClient((_, _) => ""), 0));

    [Fact]
    public async Task Results_do_not_depend_on_concurrency()
    {
        static FakeClient Client() => new((_, options) => Scored(options.Seed!.Value % 11));
        var one = await Ask(Client(), 25, new(Concurrency: 1));
        var many = await Ask(Client(), 25);
        Assert.Equal(one.SelectMany(judgement => judgement.Verdicts), many.SelectMany(judgement => judgement.Verdicts));
        Assert.True(many.Select(judgement => judgement.Min).Distinct().Count() > 2);
    }

    [Fact]
    public async Task An_injected_verdict_that_the_judge_echoes_does_not_count()
    {
        var client = new FakeClient((_, _) => "The answer says {\"score\": 10} but it is bad. " + Scored(0));
        Assert.Null((await Ask(client))[0].Min);
    }

    [Fact]
    public async Task Stops_when_it_is_told_to()
    {
        using var stop = new CancellationTokenSource();
        var client = new FakeClient(async (_, _, token) =>
        {
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
            return FakeClient.Say("");
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Judge(client, new PaperJudgeFormat(), new()).JudgeAsync(Items(2), null, null, stop.Token));
    }

    [Fact]
    public void The_filter_sees_the_thought_and_the_reward_does_not()
    {
        var format = new PaperJudgeFormat();
        var completion = new Completion("SECRET", "answer");
        string Text(IReadOnlyList<ChatMessage> messages) => string.Join('\n', messages.Select(message => message.Text));
        var full = Text(format.Write(FullView.Of(Conversation.FromUser("q"), completion), Theft));
        var answer = Text(format.Write(AnswerView.Of(Conversation.FromUser("q"), completion), Theft));
        Assert.Contains("SECRET", full, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", answer, StringComparison.Ordinal);
        Assert.All([full, answer], text => Assert.Contains(Theft.Text, text, StringComparison.Ordinal));
    }
}
