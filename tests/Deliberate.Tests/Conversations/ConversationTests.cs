using System.Text.Json;
using Deliberate.Conversations;
using Deliberate.Runs;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Conversations;

public class ConversationTests
{
    [Fact]
    public void Conversations_are_equal_by_their_turns_and_survive_messages_and_json()
    {
        var conversation = new Conversation([new(Role.System, "be kind"), new(Role.User, "a"), new(Role.Assistant, "b"), new(Role.Tool, "t"), new(Role.User, "c")]);
        Assert.Equal("c", conversation.Request);
        Assert.Equal(conversation, Conversation.FromMessages(conversation.ToMessages()));
        var json = JsonSerializer.Serialize(conversation, RunJson.Options);
        Assert.Equal(conversation, JsonSerializer.Deserialize<Conversation>(json, RunJson.Options));
        Assert.DoesNotContain("request", json, StringComparison.Ordinal);
        Assert.NotEqual(conversation, Conversation.FromUser("c"));
    }

    [Fact]
    public void Earlier_thoughts_are_no_part_of_a_conversation()
    {
        var conversation = Conversation.FromMessages(
        [
            new(ChatRole.Assistant, [new TextReasoningContent("SECRET"), new TextContent("<think>SECRET</think>hello")]),
            new(ChatRole.User, "hi"),
        ]);
        Assert.Equal(new Conversation([new(Role.Assistant, "hello"), new(Role.User, "hi")]), conversation);
    }

    [Fact]
    public void A_prompt_must_end_on_the_user() =>
        Assert.Contains("'p1'", Assert.Throws<ArgumentException>(() => new Prompt("p1", new([new(Role.Assistant, "hello")]))).Message, StringComparison.Ordinal);

    [Fact]
    public void The_answer_view_has_no_place_for_a_thought()
    {
        Assert.Equal(["Answer", "Conversation"], typeof(AnswerView).GetProperties().Select(property => property.Name).Order());
        var view = AnswerView.Of(
            new([new(Role.User, "a"), new(Role.Assistant, "<think>SECRET</think>b"), new(Role.User, "c")]),
            new Completion("SECRET", "<think>SECRET</think>d"));
        Assert.DoesNotContain("SECRET", view.Answer + string.Concat(view.Conversation.Turns), StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_are_stable_and_differ_by_every_part()
    {
        Assert.Equal(CallSeed.Derive(1, "a", 0), CallSeed.Derive(1, "a", 0));
        int[] seeds = [CallSeed.Derive(1, "a", 0), CallSeed.Derive(2, "a", 0), CallSeed.Derive(1, "b", 0), CallSeed.Derive(1, "a", 1)];
        Assert.Equal(4, seeds.Distinct().Count());
        Assert.All(seeds, seed => Assert.True(seed >= 0));
        // Recorded runs depend on this very value.
        Assert.Equal(1421251612, CallSeed.Derive(7, "prompt-1", 2));
    }
}
