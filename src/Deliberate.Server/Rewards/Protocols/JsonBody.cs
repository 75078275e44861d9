using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Rewards.Protocols;

/// <summary>Reads the JSON of a request: in one go where all of it has come with the headers, as most have, else as it comes.</summary>
internal static class JsonBody
{
    /// <summary>The body's value, or null when it says <c>null</c>.</summary>
    /// <exception cref="JsonException">It is not such JSON.</exception>
    /// <exception cref="BadHttpRequestException">It is longer than the server takes.</exception>
    public static ValueTask<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
    {
        var body = context.Request.BodyReader;
        if (!body.TryRead(out var read)) return JsonSerializer.DeserializeAsync(body, type, context.RequestAborted);
        if (read is { IsCompleted: true, IsCanceled: false })
        {
            try
            {
                return new(Parse(read.Buffer, type));
            }
            finally
            {
                body.AdvanceTo(read.Buffer.End);
            }
        }

        body.AdvanceTo(read.Buffer.Start);
        return JsonSerializer.DeserializeAsync(body, type, context.RequestAborted);
    }

    private static T? Parse<T>(in ReadOnlySequence<byte> json, JsonTypeInfo<T> type)
    {
        if (json.IsSingleSegment) return JsonSerializer.Deserialize(Unmarked(json.FirstSpan), type);
        var length = checked((int)json.Length);
        var whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            json.CopyTo(whole);
            return JsonSerializer.Deserialize(Unmarked(whole.AsSpan(0, length)), type);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    private static ReadOnlySpan<byte> Unmarked(ReadOnlySpan<byte> json) => json.StartsWith("\uFEFF"u8) ? json[3..] : json;
}
