using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;

namespace Deliberate.Endpoints.Wire;

/// <summary>Reads the pieces of a streamed reply: server-sent events, or one JSON object a line.</summary>
internal static class StreamReading
{
    private static readonly byte[] Done = "[DONE]"u8.ToArray();

    /// <summary>The pieces, wherever the bytes were cut on their way.</summary>
    public static IAsyncEnumerable<Reply> PiecesAsync(IWireFormat format, Stream stream, CancellationToken cancellationToken) =>
        format.StreamsLines ? LinesAsync(format, stream, cancellationToken) : EventsAsync(format, stream, cancellationToken);

    private static async IAsyncEnumerable<Reply> EventsAsync(IWireFormat format, Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var parser = SseParser.Create(stream, (_, data) =>
            data.IsEmpty ? null : data.SequenceEqual(Done) ? new Reply { Last = true } : ReplyReader.ReadPiece(format, data.ToArray()));
        await foreach (var item in parser.EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.Data is not { } piece) continue;
            yield return piece;
            if (piece.Last) yield break;
        }
    }

    private static async IAsyncEnumerable<Reply> LinesAsync(IWireFormat format, Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        while (await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            var piece = ReplyReader.ReadPiece(format, Encoding.UTF8.GetBytes(line));
            yield return piece;
            if (piece.Last) yield break;
        }
    }
}
