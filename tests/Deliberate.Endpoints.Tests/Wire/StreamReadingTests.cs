using System.Text;
using CsCheck;
using Deliberate.Conversations;
using Deliberate.Endpoints.Wire;
using Xunit;

namespace Deliberate.Endpoints.Tests.Wire;

public class StreamReadingTests
{
    private const string Events = ": comment\r\n\r\ndata: {\"choices\":[{\"delta\":{\"reasoning\":\"é wh\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"reasoning\":\"y\"}}]}\r\n\r\nevent: x\ndata: {\"choices\":[{\"delta\":\ndata: {\"content\":\"yes 😀\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

    private const string Lines = "{\"message\":{\"thinking\":\"é why\"}}\r\n\n{\"message\":{\"content\":\"yes 😀\"}}\n{\"done\":true,\"done_reason\":\"stop\"}";

    private static async Task<(string Thinking, string Text, bool Last)> ReadAsync(IWireFormat format, byte[] bytes, int[] cuts)
    {
        var (thinking, text, last) = ("", "", false);
        await foreach (var piece in StreamReading.PiecesAsync(format, new PiecewiseStream(bytes, cuts), TestContext.Current.CancellationToken))
            (thinking, text, last) = (thinking + piece.Thinking, text + piece.Text, piece.Last);
        return (thinking, text, last);
    }

    [Theory]
    [InlineData(Events, false)]
    [InlineData(Lines, true)]
    public async Task A_stream_reads_the_same_wherever_its_bytes_are_cut(string stream, bool lines)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        await Gen.Int[1, 9].Array[1, 60].SampleAsync(async cuts =>
            Assert.Equal(("é why", "yes 😀", true), await ReadAsync(lines ? new OllamaFormat() : new CompletionsFormat(), bytes, cuts)), iter: 200);
    }

    [Fact]
    public async Task No_bytes_make_a_stream_throw_anything_else()
    {
        var piece = Gen.OneOf(Gen.OneOf("data: ", "\n\n", "\r", "[DONE]", "{\"choices\":[", "]}", "null", "1", "\"\\ud800\"", "event: e\n", "id: \n", "retry: x\n", ":"), Gen.String[0, 4]);
        await piece.Array[0, 12].SampleAsync(async pieces =>
        {
            foreach (IWireFormat format in new IWireFormat[] { new CompletionsFormat(), new ResponsesFormat(), new OllamaFormat() })
            {
                try
                {
                    await ReadAsync(format, Encoding.UTF8.GetBytes(string.Concat(pieces)), [3]);
                }
                catch (EndpointException failure)
                {
                    Assert.True(failure.Reason is FailureReason.MalformedReply or FailureReason.ServerError);
                }
            }
        }, iter: 500);
    }

    [Fact]
    public async Task A_stream_that_never_ends_is_ended()
    {
        var failure = await Assert.ThrowsAsync<EndpointException>(async () =>
        {
            await foreach (var _ in StreamReading.PiecesAsync(new CompletionsFormat(), new BoundedStream(new PiecewiseStream(new byte[5000], [1000]), 3000), TestContext.Current.CancellationToken)) Assert.Fail("nothing was sent");
        });
        Assert.Equal(FailureReason.MalformedReply, failure.Reason);
    }

    [Fact]
    public void Summaries_are_left_out_where_the_raw_thought_is_streamed()
    {
        var format = new ResponsesFormat();
        string[] events =
        [
            """{"type":"response.reasoning_text.delta","item_id":"r","delta":"long"}""", """{"type":"response.reasoning_summary_text.delta","item_id":"r","delta":"short"}""",
            """{"type":"response.reasoning_summary_text.delta","item_id":"s","delta":"other"}""", """{"type":"response.output_item.done"}""",
        ];
        Assert.Equal("longother", string.Concat(events.Select(json => ReplyReader.ReadPiece(format, Encoding.UTF8.GetBytes(json)).Thinking)));
    }

    [Fact]
    public void A_start_is_what_is_known_of_the_prompt() =>
        Assert.Equal([ThoughtStart.Thought, ThoughtStart.Answer, ThoughtStart.Unknown], new bool?[] { true, false, null }.Select(ReplyReader.Start));

    private sealed class PiecewiseStream(byte[] bytes, int[] cuts) : MemoryStream(bytes)
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, cuts[_reads++ % cuts.Length])], cancellationToken);
    }
}
