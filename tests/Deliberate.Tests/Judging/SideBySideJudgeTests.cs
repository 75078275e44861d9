using Deliberate.Conversations;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Tests.Conversations;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Judging;

public class SideBySideJudgeTests
{
    private static readonly Spec Theft = new("Theft. [T3] Instructions: refuse.", "theft", "hash");

    private static (AnswerView, AnswerView, Spec, string) Pair(string first = "ONE", string second = "TWO") =>
        (AnswerView.Of(Conversation.FromUser("q"), new("SECRET", first)), AnswerView.Of(Conversation.FromUser("q"), new("SECRET", second)), Theft, "p");

    private static string Say(IReadOnlyList<ChatMessage> messages, string better) => $"{{\"code\": \"{CarelessJudge.CodeOf(messages)}\", \"reason\": \"r\", \"better\": \"{better}\"}}";

    // Which letter the prompt gives to this answer.
    private static string LetterOf(IReadOnlyList<ChatMessage> messages, string answer) => messages[1].Text.Contains($"<judged-answer-A-{CarelessJudge.CodeOf(messages)}>\n{answer}\n", StringComparison.Ordinal) ? "A" : "B";

    private static async Task<Comparison> CompareAsync(Func<IReadOnlyList<ChatMessage>, string> judge, int runs = 1) =>
        (await new SideBySideJudge(new FakeClient((messages, _) => judge(messages)), new(runs)).CompareAsync([Pair()], cancellationToken: TestContext.Current.CancellationToken))[0];

    [Theory]
    [InlineData("ONE", Preference.First)]
    [InlineData("TWO", Preference.Second)]
    public async Task Prefers_what_the_judge_prefers_in_both_orders(string better, Preference expected)
    {
        var comparison = await CompareAsync(messages => Say(messages, LetterOf(messages, better)), runs: 3);
        Assert.Equal(expected, comparison.Preference);
        Assert.Equal(6, comparison.Verdicts.Count);
        Assert.All(comparison.Verdicts, verdict => Assert.Equal(expected == Preference.First ? 1 : 0, verdict.Score));
    }

    [Theory]
    [InlineData("A")]
    [InlineData("B")]
    [InlineData("tie")]
    public async Task A_judge_that_goes_by_the_order_or_sees_no_difference_makes_a_tie(string always) => Assert.Equal(Preference.Tie, (await CompareAsync(messages => Say(messages, always))).Preference);

    [Fact]
    public async Task An_order_that_cannot_be_read_leaves_no_preference() =>
        Assert.Null((await CompareAsync(messages => LetterOf(messages, "ONE") == "A" ? "I cannot say." : Say(messages, "A"))).Preference);

    [Fact]
    public async Task Runs_that_differ_make_a_tie()
    {
        var calls = 0;
        Assert.Equal(Preference.Tie, (await new SideBySideJudge(new FakeClient((messages, _) => Say(messages, LetterOf(messages, Interlocked.Increment(ref calls) <= 2 ? "ONE" : "TWO"))), new(2, Concurrency: 1))
            .CompareAsync([Pair()], cancellationToken: TestContext.Current.CancellationToken))[0].Preference);
    }

    [Fact]
    public async Task The_comparison_of_answers_sees_no_thought()
    {
        var client = new FakeClient((messages, _) => Say(messages, "A"));
        await new SideBySideJudge(client, new(1)).CompareAsync([Pair()], cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(client.Requests, request => Assert.DoesNotContain("SECRET", request.Text, StringComparison.Ordinal));
        Assert.Equal(2, client.Requests.Count);
    }

    [Fact]
    public async Task Refuses_answers_to_different_conversations()
    {
        var (first, _, spec, id) = Pair();
        var other = AnswerView.Of(Conversation.FromUser("another"), new("", "TWO"));
        await Assert.ThrowsAsync<ArgumentException>(() => new SideBySideJudge(new FakeClient((_, _) => ""), new()).CompareAsync([(first, other, spec, id)], cancellationToken: TestContext.Current.CancellationToken));
    }
}
