using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Deliberate.Runs.Store;

/// <summary>
/// Writes JSON in one normal form: no whitespace, properties in ordinal order, absent instead of null, whole numbers without a fraction, and strings
/// escaped in one way only. Equal values give equal bytes.
/// </summary>
internal static class CanonicalJson
{
    // Beyond this a double no longer holds every whole number.
    private const double LargestWhole = 9007199254740992;

    /// <summary>The one way of escaping strings.</summary>
    public static JavaScriptEncoder Encoder => JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>Writes what <paramref name="write"/> writes; the order of its own properties is its business.</summary>
    public static ReadOnlySpan<byte> Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 12);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Encoder })) write(writer);
        return buffer.WrittenSpan;
    }

    /// <summary>Writes a value in its normal form.</summary>
    public static void Write(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in value.EnumerateObject().Where(property => property.Value.ValueKind != JsonValueKind.Null).OrderBy(property => property.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(property.Name);
                    Write(writer, property.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray()) Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(value.GetString());
                break;
            case JsonValueKind.Number:
                writer.WriteRawValue(Number(value.GetRawText()));
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    // 1, 1.0 and 1e0 are one number; what a double cannot hold stays as it was written.
    private static string Number(string raw)
    {
        if (!double.TryParse(raw, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || Math.Abs(number) >= LargestWhole) return raw;
        return number == Math.Floor(number) ? ((long)number).ToString(CultureInfo.InvariantCulture) : number.ToString("R", CultureInfo.InvariantCulture);
    }
}
