using Deliberate.Conversations;
using Deliberate.Distillation;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Distillation;

public class DistillerTests
{
    private static readonly Spec Theft = new("## Theft\n- **T3 Instructions.** Never explain how a lock, a till or an alarm can be beaten by a thief.", "theft", "hash");

    private static JudgedSample Judged(
        string id, int index, double? score, string thinking = "The policy says [T3].", string answer = "Sorry.", string request = "how to steal?", string? action = "refuse", string? format = null)
    {
        var prompt = new Prompt(id, Conversation.FromUser(request), "theft");
        var sample = new Sample(prompt, index, new Completion($"{thinking} {index}", answer), new Provenance("hash", "theft", "m", "f-1", 1, 3, index));
        return new(sample, Theft, new Judgement([new Verdict(1, "fine"), new Verdict(score, "off topic")], RequireAll: true), format, action);
    }

    [Fact]
    public void Keeps_the_best_of_each_prompt()
    {
        var result = new Distiller(new() { Threshold = 0.5, KeepPerPrompt = 2 })
            .Distill([Judged("a", 0, 0.6), Judged("a", 1, 0.9), Judged("b", 0, 0.5), Judged("a", 2, 0.9), Judged("a", 3, 0.9)]);
        Assert.Equal(["a#1", "b#0", "a#2"], result.Kept.Select(example => example.Id));
        Assert.Equal(["a#0", "a#3"], result.Rejected.Select(rejected => rejected.Sample.Id));
        Assert.All(result.Rejected, rejected => Assert.Equal("enough better samples of this prompt", rejected.Reason));
    }

    [Theory]
    [InlineData(0.4, null, "x", "Sorry.", "q", "scored 0.4, below 0.5: off topic")]
    [InlineData(null, null, "x", "Sorry.", "q", "unscored")]
    [InlineData(1.0, "truncated", "x", "Sorry.", "q", "format: truncated")]
    [InlineData(1.0, null, "x", "Clause T3 forbids it.", "q", "leak: the answer names clause T3")]
    [InlineData(1.0, null, "By the policy above I refuse.", "Sorry.", "q", "leak: the thought points at a text in its prompt: \"policy above\"")]
    [InlineData(1.0, null, "x", "Sorry.", "Rules: never explain how a lock, a till or an alarm can be beaten by a thief. So?", "leak: the prompt repeats")]
    public void Rejects_with_a_reason(double? score, string? format, string thinking, string answer, string request, string reason)
    {
        var result = new Distiller(new() { Threshold = 0.5, LeakWords = 8 }).Distill([Judged("a", 0, score, thinking, answer, request, format: format)]);
        Assert.Empty(result.Kept);
        Assert.StartsWith(reason, Assert.Single(result.Rejected).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sample_that_was_never_judged_is_not_kept() =>
        Assert.Equal("unscored", Assert.Single(new Distiller(new()).Distill([Judged("a", 0, 1) with { Judgement = null }]).Rejected).Reason);

    [Fact]
    public void A_copy_does_not_count_as_another_sample()
    {
        var first = Judged("a", 0, 1);
        var copy = first with { Sample = first.Sample with { Index = 1 } };
        var result = new Distiller(new() { KeepPerPrompt = 2 }).Distill([first, copy]);
        Assert.Single(result.Kept);
        Assert.Equal("a copy of a kept sample", Assert.Single(result.Rejected).Reason);
    }

    [Fact]
    public void Counts_survivors_by_category_and_action()
    {
        var result = new Distiller(new() { Threshold = 0.5 }).Distill([Judged("a", 0, 1), Judged("b", 0, 0), Judged("c", 0, 1, action: "comply"), Judged("d", 0, null, action: null)]);
        Assert.Equal([new("theft", "comply", 1, 1), new("theft", "refuse", 1, 2), new Survival("theft", "unknown", 0, 1)], result.Survival);
    }

    [Fact]
    public void No_training_prompt_holds_the_specification()
    {
        var example = Assert.Single(new Distiller(new()).Distill([Judged("a", 0, 1)]).Kept);
        Assert.Equal(Conversation.FromUser("how to steal?"), example.Conversation);
        Assert.Equal("hash", example.Provenance.PolicyHash);
        Assert.Equal(("", "Sorry."), (example.ToInstantAnswer().Thinking, example.ToInstantAnswer().Answer));
    }

    [Fact]
    public void Only_the_distiller_makes_training_examples() => Assert.Empty(typeof(TrainingExample).GetConstructors());

    [Fact]
    public void Training_files_keep_the_thought_apart_and_read_back()
    {
        using var folder = new TemporaryFolder();
        var kept = new Distiller(new()).Distill([Judged("a", 0, 1, answer: "Sorry,\n\"no\" – 你好."), Judged("b", 0, 1)]).Kept;
        TrainingFile.Write(folder["train.jsonl"], kept);
        Assert.Equal(kept, TrainingFile.Read(folder["train.jsonl"]));
        Assert.StartsWith(
            """{"messages":[{"role":"user","content":"how to steal?","thinking":""},{"role":"assistant","content":"Sorry,\n\"no\" – 你好.","thinking":"The policy says [T3]. 0"}],"id":"a#0",""",
            File.ReadLines(folder["train.jsonl"]).First(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_training_line_is_named()
    {
        using var folder = new TemporaryFolder();
        TrainingFile.Write(folder["train.jsonl"], new Distiller(new()).Distill([Judged("a", 0, 1)]).Kept);
        File.AppendAllText(folder["train.jsonl"], File.ReadAllText(folder["train.jsonl"]).Replace("assistant", "user", StringComparison.Ordinal));
        Assert.Contains("train.jsonl:2: field 'messages'", Assert.Throws<InvalidDataException>(() => TrainingFile.Read(folder["train.jsonl"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejected_files_read_back()
    {
        using var folder = new TemporaryFolder();
        var rejected = new Distiller(new()).Distill([Judged("a", 0, 0.2), Judged("b", 0, null)]).Rejected;
        RejectedFile.Write(folder["rejected.jsonl"], rejected);
        Assert.Equal(rejected, RejectedFile.Read(folder["rejected.jsonl"]));
    }

    [Theory]
    [InlineData(-0.1, 1)]
    [InlineData(double.NaN, 1)]
    [InlineData(0.5, 0)]
    public void Options_are_checked(double threshold, int keep) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Distiller(new() { Threshold = threshold, KeepPerPrompt = keep }));
}
