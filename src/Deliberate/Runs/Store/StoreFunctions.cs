using System.Text.Json;
using Deliberate.Conversations;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.AI;

namespace Deliberate.Runs.Store;

/// <summary>What the store's queries know beyond SQL.</summary>
internal static class StoreFunctions
{
    // The library's own, which knows all kinds of content, but on one line.
    private static readonly JsonSerializerOptions Serialization = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };

    /// <summary>Adds <c>whole_request(body, spec_at, spec)</c>, <c>thinking(body)</c> and <c>answer(body)</c> to a connection.</summary>
    public static void Add(SqliteConnection connection)
    {
        connection.CreateFunction<string, long?, string?, string>("whole_request", WholeRequest, isDeterministic: true);
        connection.CreateFunction<string, string>("thinking", body => CompletionReader.Read(ReadResponse(body)).Thinking, isDeterministic: true);
        connection.CreateFunction<string, string>("answer", body => CompletionReader.Read(ReadResponse(body)).Answer, isDeterministic: true);
    }

    /// <summary>A request's text with the spec put back in its place.</summary>
    public static string WholeRequest(string body, long? specAt, string? spec) => specAt is { } at && spec is not null ? body.Insert((int)at, Escaped(spec)) : body;

    /// <summary>A text as it stands inside a JSON string of a canonical request.</summary>
    public static string Escaped(string text) => JsonEncodedText.Encode(text, CanonicalJson.Encoder).Value;

    /// <summary>A response as JSON, in full.</summary>
    public static string WriteResponse(ChatResponse response)
    {
        try
        {
            return JsonSerializer.Serialize(response, Serialization.GetTypeInfo(typeof(ChatResponse)));
        }
        catch (Exception problem) when (problem is NotSupportedException or JsonException)
        {
            // Some extra that a client hung on cannot be written. What was said and paid for is kept all the same.
            return JsonSerializer.Serialize(Plain(response), Serialization.GetTypeInfo(typeof(ChatResponse)));
        }
    }

    /// <summary>Reads what <see cref="WriteResponse"/> wrote.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static ChatResponse ReadResponse(string body) =>
        (ChatResponse?)JsonSerializer.Deserialize(body, Serialization.GetTypeInfo(typeof(ChatResponse))) ?? throw new JsonException("The response is null.");

    private static ChatResponse Plain(ChatResponse response) => new([.. response.Messages.Select(Plain)])
    {
        ResponseId = response.ResponseId,
        ConversationId = response.ConversationId,
        ModelId = response.ModelId,
        CreatedAt = response.CreatedAt,
        FinishReason = response.FinishReason,
        Usage = response.Usage,
        AdditionalProperties = Plain(response.AdditionalProperties),
    };

    private static ChatMessage Plain(ChatMessage message) => new(message.Role, [.. message.Contents.Select(Plain).OfType<AIContent>()])
    {
        AuthorName = message.AuthorName,
        AdditionalProperties = Plain(message.AdditionalProperties),
    };

    private static AIContent? Plain(AIContent content) => content switch
    {
        TextContent text => new TextContent(text.Text),
        TextReasoningContent reasoning => new TextReasoningContent(reasoning.Text) { ProtectedData = reasoning.ProtectedData },
        _ => null,
    };

    private static AdditionalPropertiesDictionary? Plain(AdditionalPropertiesDictionary? properties) => properties is null ? null
        : new(properties.Where(property => property.Value is null or string or bool or int or long or double or JsonElement));
}
