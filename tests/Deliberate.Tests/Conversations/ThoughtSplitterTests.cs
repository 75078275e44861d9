using CsCheck;
using Deliberate.Conversations;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Conversations;

public class ThoughtSplitterTests
{
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.OneOf("<think>", "</think>", "<Thinking>", "</thinking>", "[THINK]", "[/THINK]", "<|channel>thought", "<channel|>", "<|START_THINKING|>", "<|channel|>", "<|start|>", "<|message|>", "<|end|>", "<|return|>", "analysis", "final", "assistant", "assistantfinal"),
        Gen.OneOf("why", "yes ", " no", "\n", "<", "</", "think>", "[", "<|", "|>", "<|channel", "Aé")).Array[0, 10].Select(pieces => string.Concat(pieces));

    private static (SplitText[] Parts, bool Unclosed) Split(ThoughtStart start, params string[] pieces)
    {
        var splitter = new ThoughtSplitter(start);
        return ([.. pieces.SelectMany(splitter.Add), .. splitter.Finish()], splitter.Unclosed);
    }

    private static (string Thinking, string Answer, bool Unclosed) Joined((SplitText[] Parts, bool Unclosed) split) =>
        (string.Concat(split.Parts.Where(part => part.IsThought).Select(part => part.Text)), string.Concat(split.Parts.Where(part => !part.IsThought).Select(part => part.Text)), split.Unclosed);

    private static string[] Cut(string text, int[] lengths)
    {
        var pieces = new List<string>();
        for (var (at, i) = (0, 0); at < text.Length; i++)
        {
            var length = Math.Min(lengths[i % lengths.Length], text.Length - at);
            pieces.Add(text.Substring(at, length));
            at += length;
        }

        return [.. pieces];
    }

    [Theory]
    [InlineData("<think>why</think>yes", "why", "yes", false)]
    [InlineData("why</think>\n\nyes", "why", "yes", false)]
    [InlineData("yes", "", "yes", false)]
    [InlineData("<think>why", "why", "", true)]
    [InlineData("a < b and [c]", "", "a < b and [c]", false)]
    [InlineData("<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>", "why", "yes", false)]
    [InlineData("<|start|>assistant<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>{}", "why", "{}", false)]
    [InlineData("<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>commentary<|message|>so<|end|>", "why\nso", "", true)]
    [InlineData("<|channel|>analysis<|message|>why", "why", "", true)]
    [InlineData("<|channel|>analysis", "", "", true)]
    [InlineData("analysisWe wonderassistantfinalyes", "We wonder", "yes", false)]
    [InlineData("analysisWe wonder", "We wonder", "", true)]
    [InlineData("analysis is hard", "", "analysis is hard", false)]
    public void Splits_tags_and_channels(string text, string thinking, string answer, bool unclosed)
    {
        var split = Joined(Split(ThoughtStart.Unknown, text));
        Assert.Equal((thinking, answer, unclosed), (split.Thinking.Trim(), split.Answer.Trim(), split.Unclosed));
        Assert.Equal(new Completion(thinking, answer, unclosed), CompletionReader.Read(text));
    }

    [Fact]
    public void A_known_start_gives_text_out_at_once()
    {
        Assert.Equal([new(true, "why")], new ThoughtSplitter(ThoughtStart.Thought).Add("why"));
        Assert.Equal([new(false, "yes")], new ThoughtSplitter(ThoughtStart.Answer).Add("yes"));
        Assert.Empty(new ThoughtSplitter().Add("yes"));
        var apart = new ThoughtSplitter();
        apart.ThoughtIsApart();
        Assert.Equal([new(false, "yes")], apart.Add("yes"));
    }

    [Fact]
    public void No_part_of_a_tag_is_given_out_before_it_is_known_to_be_none()
    {
        var splitter = new ThoughtSplitter(ThoughtStart.Answer);
        Assert.Equal([new(false, "a")], splitter.Add("a<thi"));
        Assert.Equal([new(false, "<this")], splitter.Add("s"));
        Assert.Equal([new(false, " b")], splitter.Add(" b<thin"));
        Assert.Equal([new(true, "why")], splitter.Add("k>why"));
    }

    [Fact]
    public void Wherever_a_text_is_cut_its_parts_are_the_same() =>
        Gen.Select(Texts, Gen.Int[1, 6].Array[1, 8], Gen.Enum<ThoughtStart>()).Sample((text, cuts, start) =>
            Assert.Equal(Joined(Split(start, text)), Joined(Split(start, Cut(text, cuts)))), iter: 5000);

    [Fact]
    public void A_stream_read_as_a_whole_is_the_whole_text_read() =>
        Gen.Select(Texts, Gen.Int[1, 6].Array[1, 8], Gen.Bool).Sample((text, cuts, opened) =>
        {
            var (parts, unclosed) = Split(opened ? ThoughtStart.Thought : ThoughtStart.Unknown, Cut(text, cuts));
            var message = new ChatMessage(ChatRole.Assistant, [.. parts.Select(part => part.IsThought ? (AIContent)new TextReasoningContent(part.Text) : new TextContent(part.Text))]);
            var streamed = CompletionReader.Read(new ChatResponse(message) { FinishReason = unclosed ? ChatFinishReason.Length : ChatFinishReason.Stop });
            var whole = CompletionReader.Read(text, opened);
            Assert.Equal((whole.Answer, whole.Truncated), (streamed.Answer, streamed.Truncated));
        }, iter: 5000);
}
