using System.Text.Json;
using CsCheck;
using Deliberate.Conversations;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Conversations;

public class CompletionReaderTests
{
    [Theory]
    [InlineData("<think>\nwhy\n</think>\n\nyes", "why", "yes", false)]
    [InlineData("why</think>yes", "why", "yes", false)]
    [InlineData("yes", "", "yes", false)]
    [InlineData("\nanalysisIt is fine.assistantfinalYes.", "It is fine.", "Yes.", false)]
    [InlineData("<think>why", "why", "", true)]
    [InlineData("yes <think>but", "but", "yes", true)]
    [InlineData("<think></think>yes", "", "yes", false)]
    [InlineData("<THINK>why</Think>yes", "why", "yes", false)]
    [InlineData("<thinking>why</thinking>yes", "why", "yes", false)]
    [InlineData("[THINK]why[/THINK]yes", "why", "yes", false)]
    [InlineData("<seed:think>why</seed:think>\nyes", "why", "yes", false)]
    [InlineData("<|START_THINKING|>why<|END_THINKING|>yes", "why", "yes", false)]
    [InlineData("<|begin_of_thought|>\n\nwhy\n\n<|end_of_thought|>\n\nyes", "why", "yes", false)]
    [InlineData("<|channel>thought\nwhy<channel|>yes", "why", "yes", false)]
    [InlineData("<think>a</think> b </think> c", "a b", "c", false)]
    [InlineData("", "", "", false)]
    public void Splits_thought_and_answer(string text, string thinking, string answer, bool truncated)
    {
        var read = CompletionReader.Read(text);
        Assert.Equal(thinking, string.Join(' ', read.Thinking.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Equal((answer, truncated), (read.Answer, read.Truncated));
    }

    [Theory]
    [InlineData("{{ m.content.split('</think>')[-1] }}", "</think>")]
    [InlineData("<thinking>", "</thinking>")]
    [InlineData("{%- set begin = '<seed:think>' %}{% set end = '</seed:think>' %}", "</seed:think>")]
    [InlineData("[INST]{{ m.content }}[/INST]", null)]
    public void The_tag_of_a_template_is_the_one_that_it_names(string template, string? close) => Assert.Equal(close, ThoughtTag.OfTemplate(template)?.Close);

    [Fact]
    public void A_thought_that_the_prompt_opened_and_nothing_closed_is_no_answer() =>
        Assert.Equal(new Completion("still thinking", "", true), CompletionReader.Read("still thinking", opened: true));

    [Fact]
    public void Reads_reasoning_contents_and_fields()
    {
        var content = new ChatResponse(new ChatMessage(ChatRole.Assistant, [new TextReasoningContent("why "), new TextReasoningContent("so"), new TextContent("yes")]));
        Assert.Equal(new Completion("why so", "yes"), CompletionReader.Read(content));

        foreach (object value in new object[] { "why", JsonDocument.Parse("\"why\"").RootElement })
        {
            var field = FakeClient.Say("yes");
            field.Messages[0].AdditionalProperties = new() { ["reasoning_content"] = value };
            Assert.Equal(new Completion("why", "yes"), CompletionReader.Read(field, opened: true));
        }
    }

    [Fact]
    public void A_response_cut_at_its_limit_is_truncated()
    {
        var cut = FakeClient.Say("<think>why</think>ye");
        cut.FinishReason = ChatFinishReason.Length;
        Assert.Equal(new Completion("why", "ye", true), CompletionReader.Read(cut));
    }

    [Fact]
    public void No_text_breaks_it_and_no_tag_stays_in_an_answer()
    {
        var piece = Gen.OneOf(Gen.OneOf("<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "<seed:think>", "<|channel>thought", "<channel|>", "\n", "<", "</", "think>", "<|channel"), Gen.String);
        piece.Array[0, 8].Select(pieces => string.Concat(pieces)).Sample(text =>
        {
            var read = CompletionReader.Read(text);
            Assert.DoesNotContain("<think>", read.Answer, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("</think>", read.Answer, StringComparison.OrdinalIgnoreCase);
            // Who must not see the thought learns all but the thought.
            Assert.Equal(read with { Thinking = read.Thinking.Length > 0 ? CompletionReader.SomeThought : "" }, CompletionReader.ReadAnswer(text));
            // Reading an answer again changes nothing: the answer holds no thought.
            Assert.Equal(new Completion("", read.Answer), CompletionReader.Read(read.Answer));
        });
    }

    [Fact]
    public void What_is_written_as_thought_and_answer_is_read_as_such()
    {
        var words = Gen.OneOf("a", "policy", "[T3]", "é", "\n", "{}", "no.").Array[1, 6].Select(parts => string.Join(' ', parts).Trim()).Where(text => text.Length > 0);
        Gen.Select(words, words).Sample((thinking, answer) => Assert.Equal(new Completion(thinking, answer), CompletionReader.Read($"<think>{thinking}</think>{answer}")));
    }
}
