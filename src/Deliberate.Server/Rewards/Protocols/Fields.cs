using System.Text.Json;
using Deliberate.Conversations;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Rewards.Protocols;

/// <summary>Reads what the protocols carry: categories and messages. Bad input is a <see cref="RewardRequestException"/>.</summary>
internal static class Fields
{
    private const string CategoryName = "category";

    /// <summary>
    /// The category that a label names: its text, or the member <c>category</c> of an object, which may also be written as a text (as the export for OpenRLHF does).
    /// </summary>
    public static string? CategoryOfLabel(JsonElement label, RewardScorer scorer, string field)
    {
        if (label.ValueKind == JsonValueKind.Object) return Category(label, scorer, $"{field}.");
        if (label.ValueKind != JsonValueKind.String) return null;
        var text = Text(label, field);
        if (!text.AsSpan().TrimStart().StartsWith("{")) return Named(text, scorer, field);
        try
        {
            using var inner = JsonDocument.Parse(text);
            return Category(inner.RootElement, scorer, $"{field}.");
        }
        catch (JsonException)
        {
            throw new RewardRequestException(StatusCodes.Status400BadRequest, "the label begins like a JSON object and is none", field);
        }
    }

    /// <summary>The category that an object's member <c>category</c> names; null when it has none.</summary>
    /// <param name="row">The object.</param>
    /// <param name="scorer">Knows the categories.</param>
    /// <param name="place">What stands before the member's name in a message: <c>extra_info.</c></param>
    public static string? Category(JsonElement row, RewardScorer scorer, string place)
    {
        if (row.ValueKind != JsonValueKind.Object || !row.TryGetProperty(CategoryName, out var category)) return null;
        return category.ValueKind switch
        {
            JsonValueKind.String => Named(Text(category, $"{place}{CategoryName}"), scorer, $"{place}{CategoryName}"),
            JsonValueKind.Null => null,
            // Data sets list several; the first decides.
            JsonValueKind.Array when category.GetArrayLength() == 0 => null,
            JsonValueKind.Array when category[0].ValueKind == JsonValueKind.String => Named(Text(category[0], $"{place}{CategoryName}[0]"), scorer, $"{place}{CategoryName}[0]"),
            _ => throw new RewardRequestException(StatusCodes.Status400BadRequest, "the category must be a text", $"{place}{CategoryName}"),
        };
    }

    /// <summary>A prompt: a list of messages, a text that holds such a list as JSON, or a text, rendered or plain; and what a rendered one has begun for the model.</summary>
    public static (Conversation Conversation, string Opening) Prompt(JsonElement prompt, string field)
    {
        if (prompt.ValueKind == JsonValueKind.Array) return (new(Turns(prompt, field)), "");
        if (prompt.ValueKind != JsonValueKind.String) throw new RewardRequestException(StatusCodes.Status400BadRequest, "a prompt must be a text or a list of messages", field);
        var text = Text(prompt, field);
        if (text.AsSpan().TrimStart().StartsWith("[{"))
        {
            try
            {
                using var inner = JsonDocument.Parse(text);
                return (new(Turns(inner.RootElement, field)), "");
            }
            catch (Exception wrong) when (wrong is JsonException or RewardRequestException)
            {
                // A prompt that only looks like a list of messages.
            }
        }

        var (conversation, opening, _) = RenderedChat.ReadPrompt(text);
        return (conversation, opening);
    }

    /// <summary>The turns of a list of messages or of items of the Responses format. Thoughts are left out.</summary>
    public static List<Turn> Turns(JsonElement items, string field)
    {
        var turns = new List<Turn>(items.GetArrayLength());
        var number = 0;
        foreach (var item in items.EnumerateArray())
        {
            var place = $"{field}[{number++}]";
            if (item.ValueKind != JsonValueKind.Object) throw new RewardRequestException(StatusCodes.Status400BadRequest, "a message must be an object with role and content", place);
            var type = Optional(item, "type", place);
            if (type is "function_call_output") turns.Add(new(Role.Tool, item.TryGetProperty("output", out var output) ? Content(output, $"{place}.output") : ""));
            if (type is not (null or "message")) continue;
            var role = Optional(item, "role", place) switch
            {
                "system" or "developer" => Role.System,
                "assistant" => Role.Assistant,
                "tool" or "function" => Role.Tool,
                "user" or "human" => Role.User,
                _ => throw new RewardRequestException(StatusCodes.Status400BadRequest, "a message's role must be system, developer, user, assistant or tool", $"{place}.role"),
            };
            if (!item.TryGetProperty("content", out var content)) throw new RewardRequestException(StatusCodes.Status400BadRequest, "a message needs a content", $"{place}.content");
            turns.Add(new(role, Content(content, $"{place}.content")));
        }

        return turns;
    }

    /// <summary>The text of a message: a text, null, or a list of parts of which those of text count.</summary>
    public static string Content(JsonElement content, string field)
    {
        switch (content.ValueKind)
        {
            case JsonValueKind.String: return Text(content, field);
            case JsonValueKind.Null: return "";
            case JsonValueKind.Array: break;
            default: throw new RewardRequestException(StatusCodes.Status400BadRequest, "a content must be a text or a list of parts", field);
        }

        var parts = new List<string>();
        foreach (var part in content.EnumerateArray())
        {
            if (part.ValueKind == JsonValueKind.String) parts.Add(Text(part, field));
            else if (part.ValueKind == JsonValueKind.Object && Optional(part, "type", field) is null or "text" or "input_text" or "output_text" && Optional(part, "text", field) is { } text) parts.Add(text);
            else if (part.ValueKind == JsonValueKind.Object && Optional(part, "refusal", field) is { } refusal) parts.Add(refusal);
        }

        return string.Concat(parts);
    }

    /// <summary>A member that is a text; null when it is missing or something else.</summary>
    public static string? Optional(JsonElement json, string name, string field) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? Text(value, field) : null;

    private static string? Named(string name, RewardScorer scorer, string field) =>
        string.IsNullOrWhiteSpace(name) || (name is "none" && !scorer.Knows(name)) ? null
        : scorer.Knows(name) ? name
        : throw new RewardRequestException(StatusCodes.Status422UnprocessableEntity, $"the policy has no such category; known are {scorer.Categories}", field);

    /// <summary>A text.</summary>
    public static string Text(JsonElement text, string field)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, which JSON can write and .NET cannot read.
            throw new RewardRequestException(StatusCodes.Status400BadRequest, "the text holds half of a surrogate pair, which is no character", field);
        }
    }
}
