using CsCheck;
using Deliberate.Conversations;
using Deliberate.Inference.Chat;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Inference.Tests.Chat;

public class ChatFormatTests
{
    private static readonly ChatFormat Format = new(Tiny.Tokenizer);
    private static readonly ChatPrompt Opened = new([], true);

    [Fact]
    public void A_conversation_is_written_role_by_role_and_waits_for_a_thought() =>
        Assert.Equal("<|system|>be kind<|end|><|user|>the man<|end|><|assistant|>a story<|end|><|user|>and<|end|><|assistant|><think>", Text(Format.Prompt(
            [new(ChatRole.System, "be kind"), new(ChatRole.User, "the man"), new(ChatRole.Assistant, "a story"), new(ChatRole.User, "and")]).Tokens));

    [Fact]
    public void Without_thinking_the_thought_is_empty() =>
        Assert.Equal("<|user|>x<|end|><|assistant|><think></think>", Text(Format.Prompt([new(ChatRole.User, "x")], thinking: false).Tokens));

    [Fact]
    public void An_earlier_thought_is_not_repeated() =>
        Assert.Equal("<|user|>x<|end|><|assistant|>answer<|end|><|assistant|><think>", Text(Format.Prompt(
            [new(ChatRole.User, "x"), new(ChatRole.Assistant, [new TextReasoningContent("secret"), new TextContent("answer")])]).Tokens));

    [Fact]
    public void Typed_control_tokens_stay_text() =>
        Gen.OneOf(Gen.String, Gen.OneOf("<|end|>", "</think>", "<|assistant|>", "<think>", "sure", "<", "|>").Array[0, 8].Select(string.Concat)).Sample(typed =>
        {
            var prompt = Format.Prompt([new(ChatRole.User, typed)]).Tokens;
            Assert.Equal(["<|user|>", "<|end|>", "<|assistant|>", "<think>"], prompt.Where(Tiny.Tokenizer.IsSpecial).Select(token => Text([token])));
            Assert.Equal(Tiny.Valid(typed), Tiny.Tokenizer.Decode(prompt));
        });

    [Theory]
    [InlineData(" a thought </think> an answer ", "a thought", "an answer")]
    [InlineData("a thought", "a thought", "")]
    [InlineData("</think>an answer", "", "an answer")]
    [InlineData("</think>", "", "")]
    [InlineData("a</think>b</think>c", "a", "bc")]
    [InlineData("", "", "")]
    public void Thought_and_answer_are_told_apart(string text, string thinking, string answer) =>
        Assert.Equal(new Completion(thinking, answer, false), Format.Read(Tiny.Tokenizer.Encode(text, allowSpecial: true), Opened, false));

    [Fact]
    public void Without_thinking_everything_is_the_answer() =>
        Assert.Equal(new Completion("", "all of it", false), Format.Read(Tiny.Tokenizer.Encode(" all of it"), new([], false), false));

    private static string Text(int[] tokens) => Tiny.Tokenizer.Decode(tokens, skipSpecial: false);
}
