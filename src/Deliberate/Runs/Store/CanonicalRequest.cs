using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Deliberate.Runs.Store;

/// <summary>
/// A request to a chat model in one normal form: messages and options as sorted JSON, without the seed, which is kept apart so that all samples of one
/// prompt share one text. Two requests are the same when and only when their texts and seeds are. Immutable.
/// </summary>
public sealed class CanonicalRequest
{
    // A part of every key. To be raised with every change to the normal form: all responses kept before are then asked for again.
    private const string Form = "response-1";

    private static readonly JsonSerializerOptions Serialization = AIJsonUtilities.DefaultOptions;

    private CanonicalRequest(string json, byte[] hash, long? seed) => (Json, Hash, Seed) = (json, hash, seed);

    /// <summary>The messages and options as JSON.</summary>
    public string Json { get; }

    /// <summary>The seed, or null when none was given.</summary>
    public long? Seed { get; }

    /// <summary>The SHA-256 of <see cref="Json"/> in UTF-8.</summary>
    internal byte[] Hash { get; }

    /// <summary>The normal form of a request.</summary>
    /// <exception cref="ArgumentException">The options carry a factory of raw requests, whose effect on the answer cannot be told.</exception>
    public static CanonicalRequest Of(IEnumerable<ChatMessage> messages, ChatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        if (options?.RawRepresentationFactory is not null)
            throw new ArgumentException("A request with a RawRepresentationFactory cannot be told from others: give its settings as AdditionalProperties.", nameof(options));
        var bytes = CanonicalJson.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("messages");
            foreach (var message in messages) Write(writer, message);
            writer.WriteEndArray();
            writer.WriteStartObject("options");
            if (options is not null) Write(writer, options);
            writer.WriteEndObject();
            if (options?.Tools is { Count: > 0 } tools)
            {
                writer.WriteStartArray("tools");
                foreach (var tool in tools) Write(writer, tool);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        });
        return new(Encoding.UTF8.GetString(bytes), SHA256.HashData(bytes), options?.Seed);
    }

    /// <summary>The key of the response to this request.</summary>
    /// <param name="model">Name or fingerprint of the model.</param>
    /// <param name="templateVersion">Version of the format that the messages were written in, or null.</param>
    /// <param name="sampleIndex">Number of the sample among those of the same request.</param>
    public ResponseKey Key(string model, string? templateVersion = null, int sampleIndex = 0)
    {
        ArgumentNullException.ThrowIfNull(model);
        object?[] parts = [Form, Convert.ToHexStringLower(Hash), Seed, sampleIndex, model, templateVersion];
        return new(Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(parts, RunJson.Options))));
    }

    // Written by hand, so that keys stay what they are when the library learns to say the same in another way.
    private static void Write(Utf8JsonWriter writer, ChatMessage message)
    {
        writer.WriteStartObject();
        if (message.AuthorName is { } author) writer.WriteString("author", author);
        writer.WriteStartArray("contents");
        foreach (var content in message.Contents)
        {
            if (content is TextContent { AdditionalProperties: null or { Count: 0 } } text) writer.WriteStringValue(text.Text);
            else CanonicalJson.Write(writer, JsonSerializer.SerializeToElement(content, Serialization.GetTypeInfo(typeof(AIContent))));
        }

        writer.WriteEndArray();
        Write(writer, "extra", message.AdditionalProperties);
        writer.WriteString("role", message.Role.Value);
        writer.WriteEndObject();
    }

    // By the library's own serialiser: an option that is new in it must make another request, whether or not it is known here.
    private static void Write(Utf8JsonWriter writer, ChatOptions options)
    {
        var unseeded = options.Seed is null ? options : options.Clone();
        unseeded.Seed = null;
        var all = JsonSerializer.SerializeToElement(unseeded, Serialization.GetTypeInfo(typeof(ChatOptions)));
        foreach (var option in all.EnumerateObject().Where(option => !IsEmpty(option.Value)).OrderBy(option => option.Name, StringComparer.Ordinal))
        {
            writer.WritePropertyName(option.Name);
            CanonicalJson.Write(writer, option.Value);
        }
    }

    private static void Write(Utf8JsonWriter writer, AITool tool)
    {
        writer.WriteStartObject();
        writer.WriteString("description", tool.Description);
        writer.WriteString("name", tool.Name);
        if (tool is AIFunctionDeclaration function)
        {
            writer.WritePropertyName("schema");
            CanonicalJson.Write(writer, function.JsonSchema);
        }

        Write(writer, "extra", new AdditionalPropertiesDictionary(tool.AdditionalProperties));
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, AdditionalPropertiesDictionary? properties)
    {
        if (properties is null or { Count: 0 }) return;
        writer.WritePropertyName(name);
        CanonicalJson.Write(writer, JsonSerializer.SerializeToElement(properties, Serialization.GetTypeInfo(typeof(AdditionalPropertiesDictionary))));
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };
}
