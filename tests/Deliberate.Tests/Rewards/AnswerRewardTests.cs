using Deliberate.Conversations;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Rewards;
using Deliberate.Runs;
using Deliberate.Tests.Conversations;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Rewards;

public class AnswerRewardTests
{
    private const string Marker = "PLANTED-9f31";
    private static readonly Spec Theft = new("Theft. [T3] Instructions: refuse.", "theft", "hash");

    private static RewardItem Item(string id, Completion completion, Conversation? conversation = null) =>
        RewardItem.Of(id, conversation ?? Conversation.FromUser($"question {id}"), completion, Theft, new FormatFilter());

    [Fact]
    public async Task No_thought_reaches_the_judge_or_its_log()
    {
        using var folder = new TemporaryFolder();
        var client = new FakeClient((_, _) => """{"score": 10, "reason": "fine"}""");
        var earlier = new Conversation([new(Role.User, "a"), new(Role.Assistant, $"<think>{Marker}</think>b"), new(Role.User, "c")]);
        RewardItem[] items =
        [
            Item("plain", new(Marker, "answer")),
            Item("multi-turn", new(Marker, "answer"), earlier),
            Item("tag in the answer", new(Marker, $"<think>{Marker}</think>answer")),
            Item("no opener", CompletionReader.Read($"{Marker}</think>answer")),
            Item("closed twice", CompletionReader.Read($"<think>why</think>{Marker}</think>answer")),
            Item("truncated", CompletionReader.Read($"<think>{Marker}")),
            Item("cut again", CompletionReader.Read($"<think>why</think>answer <think>{Marker}")),
        ];
        IReadOnlyList<Reward> rewards;
        using (var log = new StageStore(folder.Path).OpenLog<Verdict>("rl", "k")) rewards = await new AnswerReward(new Judge(client, new PaperJudgeFormat(), new(Runs: 2))).ScoreAsync(items, log, TestContext.Current.CancellationToken);

        Assert.NotEmpty(client.Requests);
        Assert.All(client.Requests, request => Assert.DoesNotContain(Marker, request.Text, StringComparison.Ordinal));
        Assert.All(Directory.EnumerateFiles(folder.Path), file => Assert.DoesNotContain(Marker, File.ReadAllText(file), StringComparison.Ordinal));
        Assert.DoesNotContain(Marker, string.Concat(items.Select(item => item.ToString())) + string.Concat(rewards), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scores_in_order_masks_what_is_unscored_and_gives_malformed_completions_nothing()
    {
        var client = new FakeClient((messages, _) => messages[^1].Text.Contains("good", StringComparison.Ordinal) ? """{"score": 9}""" : "I cannot say.");
        var rewards = await new AnswerReward(new Judge(client, new PaperJudgeFormat(), new(Runs: 1)))
            .ScoreAsync([Item("a", new("", "good")), Item("b", new("why", "vague")), Item("c", new("why", "good"))], cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal([("a", 0), ("b", null), ("c", 0.9)], rewards.Select(reward => (reward.Id, reward.Value)));
        Assert.Equal(("no thought", null), (rewards[0].FormatReason, rewards[0].Judgement));
        Assert.Equal(2, client.Requests.Count);
    }

    [Fact]
    public async Task Refuses_two_items_of_one_id()
    {
        var reward = new AnswerReward(new Judge(new FakeClient((_, _) => ""), new PaperJudgeFormat(), new()));
        await Assert.ThrowsAsync<ArgumentException>(() => reward.ScoreAsync([Item("a", new("", "x")), Item("a", new("why", "y"))], cancellationToken: TestContext.Current.CancellationToken));
    }
}
