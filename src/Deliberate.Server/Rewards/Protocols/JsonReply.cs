using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Rewards.Protocols;

/// <summary>Writes replies as JSON in one piece, with their length.</summary>
internal static class JsonReply
{
    private const int Largest = 1 << 20;

    [ThreadStatic]
    private static Writing? _writing;

    /// <summary>Writes a reply.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="state">Goes to <paramref name="write"/>.</param>
    /// <param name="write">Writes the JSON.</param>
    public static Task WriteAsync<TState>(HttpContext context, int status, TState state, Action<Utf8JsonWriter, TState> write)
    {
        var response = context.Response;
        var writing = _writing ??= new();
        writing.Reset();
        write(writing.Json, state);
        writing.Json.Flush();
        var bytes = writing.Buffer.WrittenSpan;
        (response.StatusCode, response.ContentType, response.ContentLength) = (status, "application/json", bytes.Length);
        response.BodyWriter.Write(bytes);
        if (bytes.Length > Largest) _writing = null;
        var flushed = response.BodyWriter.FlushAsync(CancellationToken.None); // ends when the client hangs up, too
        return flushed.IsCompletedSuccessfully ? Task.CompletedTask : flushed.AsTask();
    }

    /// <summary>Writes an error.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="type">The kind of error.</param>
    /// <param name="message">What is wrong, in one line without content.</param>
    /// <param name="field">The field that is wrong, or null.</param>
    public static Task ErrorAsync(HttpContext context, int status, string type, string message, string? field = null) =>
        WriteAsync(context, status, (type, message, field), static (json, error) =>
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("type", error.type);
            json.WriteString("message", error.message);
            if (error.field is not null) json.WriteString("param", error.field);
            json.WriteEndObject();
            json.WriteEndObject();
        });

    /// <summary>Writes a number so that Python reads a float, whole ones too: tensors are made of them.</summary>
    public static void WriteFloat(Utf8JsonWriter json, double value)
    {
        if (value != Math.Truncate(value) || Math.Abs(value) > 1e15)
        {
            json.WriteNumberValue(value);
            return;
        }

        Span<byte> digits = stackalloc byte[24];
        ((long)value).TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
        ".0"u8.CopyTo(digits[length..]);
        json.WriteRawValue(digits[..(length + 2)], skipInputValidation: true);
    }

    private sealed class Writing
    {
        public Writing() => Json = new(Buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

        public ArrayBufferWriter<byte> Buffer { get; } = new(1024);

        public Utf8JsonWriter Json { get; }

        public void Reset()
        {
            Buffer.ResetWrittenCount();
            Json.Reset(Buffer);
        }
    }
}
