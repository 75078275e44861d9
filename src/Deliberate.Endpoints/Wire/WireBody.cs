using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Wire;

/// <summary>Parts of request bodies that several interfaces share.</summary>
internal static class WireBody
{
    public static JsonArray Messages(IEnumerable<WireMessage> messages) =>
        [.. messages.Select(message => (JsonNode)new JsonObject { ["role"] = message.Role, ["content"] = message.Content })];

    public static JsonArray List(IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode)JsonValue.Create(text))];

    public static void Sampling(JsonObject body, ChatOptions options)
    {
        if (options.Temperature is { } temperature) body["temperature"] = Number(temperature);
        if (options.TopP is { } topP) body["top_p"] = Number(topP);
    }

    /// <summary>A number with the digits that the user wrote: 0.7, not 0.699999988.</summary>
    public static JsonNode Number(float value) => JsonValue.Create((decimal)value);

    /// <summary>Merges the user's own fields into a body: objects are merged, a null takes a field out, anything else replaces what is there.</summary>
    public static void Merge(JsonObject body, JsonObject extra)
    {
        foreach (var (name, value) in extra)
        {
            if (value is null) body.Remove(name);
            else if (value is JsonObject more && body[name] is JsonObject known) Merge(known, more);
            else body[name] = value.DeepClone();
        }
    }

    public static NotSupportedException NoContinuation(string server, string remedy) =>
        new($"The conversation ends with an assistant's turn to go on with, which {server} cannot do: end it with a user's turn, or {remedy}.");
}
