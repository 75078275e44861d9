using System.Text;
using CsCheck;
using Deliberate.Conversations;
using Deliberate.Endpoints.Wire;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Endpoints.Tests.Wire;

public class ReplyReaderTests
{
    private static readonly string[] Replies =
    [
        """{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","reasoning":"why","reasoning_details":[{"type":"reasoning.text","text":"why"}],"content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}""",
        """{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"reasoning_content":"why","content":[{"type":"text","text":"<think>a</think>b"}]},"finish_reason":"length"}]}""",
        """{"type":"response.completed","response":{"status":"completed"},"output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"why"}]},{"type":"message","content":[{"type":"output_text","text":"yes"}]}],"usage":{"input_tokens":1,"output_tokens":2}}""",
        """{"model":"m","message":{"role":"assistant","content":"yes","thinking":"why"},"done":true,"done_reason":"stop","eval_count":4}""",
        """{"error":{"message":"bad","code":"x"}}""",
    ];

    private static readonly Gen<byte[]> Mutated = Gen.Select(
        Gen.OneOf(Replies), Gen.Int[0, 500], Gen.Int[0, 12],
        Gen.OneOf(Gen.String[0, 4], Gen.OneOf("null", "[]", "{}", "\"", "\\ud800", "1e400", "-1", "99999999999999999999", "true", ",", ":", "\u0000", "<|channel|>", "</think>", "[[[[")))
        .Select((text, at, cut, put) => Encoding.UTF8.GetBytes(text[..Math.Min(at, text.Length)] + put + text[Math.Min(text.Length, at + cut)..]));

    private static IWireFormat[] Formats() => [new CompletionsFormat(), new ResponsesFormat(), new OllamaFormat()];

    private static Completion Read(IWireFormat format, string json, bool? opened = null) => CompletionReader.Read(ReplyReader.Read(format, Encoding.UTF8.GetBytes(json), opened, "asked"));

    [Theory]
    [InlineData("""{"reasoning":"why","reasoning_content":"other","content":"yes"}""", "why", "yes")]
    [InlineData("""{"reasoning":"","reasoning_content":"why","content":"yes"}""", "why", "yes")]
    [InlineData("""{"reasoning":null,"reasoning_details":[{"type":"reasoning.summary","summary":"wh"},{"type":"reasoning.text","text":"y"}],"content":"yes"}""", "why", "yes")]
    [InlineData("""{"thinking":"why","content":"yes"}""", "why", "yes")]
    [InlineData("""{"content":[{"type":"thinking","thinking":[{"type":"text","text":"why"}]},{"type":"text","text":"yes"}]}""", "why", "yes")]
    [InlineData("""{"content":"<think>\nwhy\n</think>\n\nyes"}""", "why", "yes")]
    [InlineData("""{"content":"why</think>yes"}""", "why", "yes")]
    [InlineData("""{"content":"<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>"}""", "why", "yes")]
    [InlineData("""{"content":"analysiswhyassistantfinalyes"}""", "why", "yes")]
    [InlineData("""{"reasoning":"why","content":"<think>so</think>yes"}""", "why\nso", "yes")]
    [InlineData("""{"content":null,"refusal":"no"}""", "", "no")]
    [InlineData("""{"reasoning":"why","content":null}""", "why", "")]
    public void Thoughts_are_read_in_their_order(string message, string thinking, string answer)
    {
        var response = ReplyReader.Read(new CompletionsFormat(), Encoding.UTF8.GetBytes($$"""{"choices":[{"message":{{message}},"finish_reason":"stop"}]}"""), null, "asked");
        Assert.Equal(new Completion(thinking, answer), CompletionReader.Read(response));
        var contents = response.Messages.Single().Contents;
        Assert.Equal(thinking.Length > 0 ? ["TextReasoningContent", "TextContent"] : ["TextContent"], contents.Select(content => content.GetType().Name));
    }

    [Fact]
    public void A_cut_completion_and_an_endless_thought_are_truncated()
    {
        Assert.Equal(new("why", "", true), Read(new CompletionsFormat(), """{"choices":[{"message":{"reasoning":"why","content":null},"finish_reason":"length"}]}"""));
        Assert.Equal(new("why", "", true), Read(new CompletionsFormat(), """{"choices":[{"message":{"content":"<think>why"},"finish_reason":"stop"}]}"""));
        Assert.Equal(new("why", "", true), Read(new CompletionsFormat(), """{"choices":[{"message":{"content":"why"},"finish_reason":"stop"}]}""", opened: true));
        Assert.Equal(new("why", "ye", true), Read(new OllamaFormat(), """{"message":{"thinking":"why","content":"ye"},"done":true,"done_reason":"length"}"""));
        Assert.Equal(new("why", "ye", true), Read(new ResponsesFormat(), """{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"reasoning","summary":[{"text":"why"}]},{"type":"message","content":[{"type":"output_text","text":"ye"}]}]}"""));
    }

    [Fact]
    public void The_server_s_own_word_for_an_endless_thought_is_kept()
    {
        var response = ReplyReader.Read(new CompletionsFormat(), """{"choices":[{"message":{"content":"<think>why"},"finish_reason":"stop"}]}"""u8.ToArray(), null, "asked");
        Assert.Equal((ChatFinishReason.Length, "stop"), (response.FinishReason, response.AdditionalProperties!["finish_reason"]));
    }

    [Fact]
    public void A_thought_that_the_prompt_opened_and_that_is_empty_leaves_the_answer() =>
        Assert.Equal(new("", "yes"), CompletionReader.Read(ReplyReader.Read(new CompletionsFormat(), """{"choices":[{"message":{"content":"</think>yes"}}]}"""u8.ToArray(), true, "asked"), opened: true));

    [Fact]
    public void Raw_thoughts_go_before_summaries_and_hidden_ones_are_kept()
    {
        var response = ReplyReader.Read(new ResponsesFormat(), """
            {"output":[{"type":"reasoning","summary":[{"text":"short"}],"content":[{"text":"long"}],"encrypted_content":"AAA"},{"type":"message","content":[{"type":"refusal","refusal":"no"}]}]}
            """u8.ToArray(), null, "asked");
        Assert.Equal(new("long", "no"), CompletionReader.Read(response));
        Assert.Equal("AAA", response.Messages[0].Contents.OfType<TextReasoningContent>().Single().ProtectedData);
    }

    [Theory]
    [InlineData("""{"choices":[]}""")]
    [InlineData("""{"choices":[{"message":{}}]}""")]
    [InlineData("""{"choices":{"message":{"content":"x"}}}""")]
    [InlineData("""[1]""")]
    [InlineData("""{"a":""")]
    [InlineData("")]
    [InlineData("""{"choices":[{"message":{"content":"\ud800"}}]}""")]
    public void What_is_no_reply_is_malformed(string json) =>
        Assert.Equal(FailureReason.MalformedReply, Assert.Throws<EndpointException>(() => Read(new CompletionsFormat(), json)).Reason);

    [Theory]
    [InlineData("""{"error":"out of memory"}""", FailureReason.ServerError)]
    [InlineData("""{"error":{"message":"slow down","code":429}}""", FailureReason.RateLimited)]
    [InlineData("""{"error":{"message":"too long","code":400}}""", FailureReason.RefusedRequest)]
    public void An_error_in_place_of_a_reply_has_its_reason(string json, FailureReason reason) =>
        Assert.Equal(reason, Assert.Throws<EndpointException>(() => Read(new CompletionsFormat(), json)).Reason);

    [Fact]
    public void What_a_malformed_reply_holds_is_not_repeated() =>
        Assert.DoesNotContain("planted", Assert.Throws<EndpointException>(() => Read(new CompletionsFormat(), """{"choices":[{"text":"planted"}],"thought":"planted"}""")).Message, StringComparison.Ordinal);

    [Fact]
    public void No_bytes_make_a_reader_throw_anything_else()
    {
        Gen.OneOf(Mutated, Gen.Byte.Array[0, 40]).Sample(bytes =>
        {
            foreach (var format in Formats())
            {
                Try(() => CompletionReader.Read(ReplyReader.Read(format, bytes, null, "asked")));
                Try(() => ReplyReader.ReadPiece(format, bytes));
            }
        }, iter: 2000);
    }

    [Fact]
    public void Counts_of_tokens_that_cannot_be_are_left_out()
    {
        foreach (var count in new[] { "-1", "\"7\"", "9999999999999", "null" })
        {
            var reply = ReplyReader.Read(new CompletionsFormat(), Encoding.UTF8.GetBytes($$$"""{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":{{{count}}},"completion_tokens":2}}"""), null, "asked");
            Assert.Null(reply.Usage!.InputTokenCount);
            Assert.Equal(2, reply.Usage.OutputTokenCount);
        }
    }

    private static void Try(Func<object> read)
    {
        try
        {
            Assert.NotNull(read());
        }
        catch (EndpointException failure)
        {
            Assert.DoesNotContain('\n', failure.Message);
        }
    }
}
