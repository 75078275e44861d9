using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deliberate.Server.Rewards.Protocols;

/// <summary>
/// A text of a request in a buffer that is used again: a query holds the thought, is long, and is forgotten as soon as the answer is found in it. To be returned
/// once; not read after that.
/// </summary>
[JsonConverter(typeof(Converter))]
internal readonly struct RentedText
{
    private readonly char[]? _buffer;
    private readonly int _length;

    private RentedText(char[] buffer, int length) => (_buffer, _length) = (buffer, length);

    /// <summary>Whether the request says <c>null</c>.</summary>
    public bool IsNull => _buffer is null;

    /// <summary>The text.</summary>
    public ReadOnlySpan<char> Text => _buffer.AsSpan(0, _length);

    /// <summary>Gives the buffer back.</summary>
    public void Return()
    {
        if (_buffer is not null) ArrayPool<char>.Shared.Return(_buffer);
    }

    internal sealed class Converter : JsonConverter<RentedText>
    {
        public override bool HandleNull => true;

        public override RentedText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.Null) return default;
            if (reader.TokenType != JsonTokenType.String) throw new JsonException();
            var buffer = ArrayPool<char>.Shared.Rent(reader.HasValueSequence ? checked((int)reader.ValueSequence.Length) : reader.ValueSpan.Length);
            return new(buffer, reader.CopyString(buffer));
        }

        public override void Write(Utf8JsonWriter writer, RentedText value, JsonSerializerOptions options) => throw new NotSupportedException("Requests are read alone.");
    }
}
