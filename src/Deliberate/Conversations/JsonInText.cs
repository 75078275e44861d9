using System.Text;
using System.Text.Json;

namespace Deliberate.Conversations;

/// <summary>Finds what a model put as JSON into its reply.</summary>
internal static class JsonInText
{
    // Far above any reply that was asked for; keeps reading quick whatever the text.
    private const int Longest = 1 << 16;

    /// <summary>Every JSON object that stands in the text, outermost only; none in a text that is far too long.</summary>
    public static IReadOnlyList<JsonElement> Objects(string text)
    {
        var found = new List<JsonElement>();
        if (text.Length > Longest) return found;
        var bytes = Encoding.UTF8.GetBytes(text).AsSpan();
        while (bytes.IndexOf((byte)'{') is var start and >= 0)
        {
            bytes = bytes[start..];
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            var length = 1;
            try
            {
                if (JsonElement.TryParseValue(ref reader, out var json))
                {
                    found.Add(json.Value);
                    length = (int)reader.BytesConsumed;
                }
            }
            catch (JsonException)
            {
                // Not an object after all: go on behind its brace.
            }

            bytes = bytes[length..];
        }

        return found;
    }

    /// <summary>The text of a member, trimmed; null when there is none or it is no text.</summary>
    public static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? Text(value) : null;

    /// <summary>A text, trimmed; null when the value is none.</summary>
    public static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString()!.Trim() : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair.
            return null;
        }
    }

    /// <summary>The name of a member; empty when it is no text.</summary>
    public static string Name(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair.
            return "";
        }
    }
}
