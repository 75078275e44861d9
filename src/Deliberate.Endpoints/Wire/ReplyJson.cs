using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Wire;

/// <summary>Reads JSON that a server wrote: what is missing or of another kind is null, never an error.</summary>
internal static class ReplyJson
{
    private const long MostTokens = 1_000_000_000;

    public static JsonElement? Get(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    public static JsonElement? Get(this JsonElement? json, string name) => json?.Get(name);

    public static string? Text(this JsonElement? json) => json is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public static bool IsTrue(this JsonElement? json) => json is { ValueKind: JsonValueKind.True };

    public static IEnumerable<JsonElement> Items(this JsonElement? json) => json is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    /// <summary>A count of tokens; null when it is no number that can be one.</summary>
    public static long? Count(this JsonElement? json) => json is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var count) && count is >= 0 and <= MostTokens ? count : null;

    /// <summary>The text of a content: a string, or a list of parts with a text each.</summary>
    public static string Content(this JsonElement? json) =>
        json.Text() ?? string.Concat(json.Items().Where(part => part.Get("type").Text() is null or "text" or "output_text" or "input_text").Select(part => part.Get("text").Text()));

    /// <summary>Token counts, of which any may be missing; null when all are.</summary>
    public static UsageDetails? Usage(long? input, long? output, long? reasoning = null, long? cached = null) => input is null && output is null ? null : new()
    {
        InputTokenCount = input,
        OutputTokenCount = output,
        TotalTokenCount = (input ?? 0) + (output ?? 0),
        ReasoningTokenCount = reasoning,
        CachedInputTokenCount = cached,
    };

    /// <summary>A server's word for why the model stopped.</summary>
    public static ChatFinishReason? Finish(string? word) => word?.ToLowerInvariant() switch
    {
        null or "" => null,
        "stop" or "eos" or "eos_token" or "end_turn" or "completed" => ChatFinishReason.Stop,
        "length" or "max_tokens" or "max_output_tokens" or "model_length" => ChatFinishReason.Length,
        "content_filter" => ChatFinishReason.ContentFilter,
        "tool_calls" or "function_call" => ChatFinishReason.ToolCalls,
        { } other => new ChatFinishReason(other),
    };

    /// <summary>Why: some servers put the status that they did not give into the error.</summary>
    public static FailureReason ErrorReason(JsonElement root) =>
        root.Get("error").Get("code").Count() is { } code and >= 400 and < 600 ? Refusals.Reason((int)code) : FailureReason.ServerError;

    /// <summary>What a server says went wrong; null when the JSON is no error.</summary>
    public static string? Error(JsonElement root)
    {
        if (root.Get("error") is not { } error) return null;
        return error.ValueKind == JsonValueKind.String ? ((JsonElement?)error).Text() : error.Get("message").Text() ?? error.Get("code").Text() ?? "an error without a message";
    }
}
