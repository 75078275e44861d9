using System.Text.Json.Nodes;
using Deliberate.Server.Hosting;
using Microsoft.Extensions.AI;

namespace Deliberate.Server.Chat;

/// <summary>The object <c>response</c> of OpenAI's Responses while it comes about.</summary>
internal sealed class ResponseObject
{
    private readonly string _tail;

    public ResponseObject(ChatCall call, RequestBody body, long created)
    {
        _tail = call.Id["resp_".Length..];
        Json = new()
        {
            ["id"] = call.Id,
            ["object"] = "response",
            ["created_at"] = created,
            ["status"] = "in_progress",
            ["error"] = null,
            ["incomplete_details"] = null,
            ["instructions"] = body.Text("instructions"),
            ["max_output_tokens"] = call.Options.MaxOutputTokens,
            ["metadata"] = body.Object("metadata") is { } metadata ? JsonNode.Parse(metadata.Json.GetRawText()) : new JsonObject(),
            ["model"] = call.Model.Name,
            ["output"] = new JsonArray(),
            ["parallel_tool_calls"] = false,
            ["previous_response_id"] = null,
            ["reasoning"] = new JsonObject { ["effort"] = body.Object("reasoning")?.Text("effort"), ["summary"] = null },
            ["store"] = false,
            ["temperature"] = call.Options.Temperature ?? 1,
            ["text"] = new JsonObject { ["format"] = new JsonObject { ["type"] = "text" } },
            ["tool_choice"] = "auto",
            ["tools"] = new JsonArray(),
            ["top_p"] = call.Options.TopP ?? 1,
            ["truncation"] = "disabled",
            ["usage"] = null,
        };
    }

    public JsonObject Json { get; }

    /// <summary>The id of the item with the thought, or of the message.</summary>
    public string ItemId(bool thought) => $"{(thought ? "rs_" : "msg_")}{_tail}";

    /// <summary>A part of an item's content.</summary>
    public static JsonObject Part(bool thought, string text) => thought
        ? new() { ["type"] = "reasoning_text", ["text"] = text }
        : new() { ["type"] = "output_text", ["text"] = text, ["annotations"] = new JsonArray() };

    /// <summary>An item of the output.</summary>
    public JsonObject Item(bool thought, string status, params ReadOnlySpan<JsonNode?> content)
    {
        var item = new JsonObject { ["id"] = ItemId(thought), ["type"] = thought ? "reasoning" : "message", ["status"] = status };
        if (thought) item["summary"] = new JsonArray();
        else item["role"] = "assistant";
        item["content"] = new JsonArray(content.ToArray());
        return item;
    }

    /// <summary>Fills in what is known at the end. A reply without text has no message.</summary>
    public void End(string thinking, string text, ChatFinishReason? finish, UsageDetails? usage)
    {
        var output = (JsonArray)Json["output"]!;
        var cut = finish == ChatFinishReason.Length || finish == ChatFinishReason.ContentFilter;
        if (thinking.Length > 0) output.Add((JsonNode)Item(true, text.Length == 0 && cut ? "incomplete" : "completed", Part(true, thinking)));
        if (text.Length > 0) output.Add((JsonNode)Item(false, cut ? "incomplete" : "completed", Part(false, text)));
        Json["status"] = cut ? "incomplete" : "completed";
        if (cut) Json["incomplete_details"] = new JsonObject { ["reason"] = finish == ChatFinishReason.Length ? "max_output_tokens" : "content_filter" };
        if (usage is null) return;
        Json["usage"] = new JsonObject
        {
            ["input_tokens"] = usage.InputTokenCount ?? 0,
            ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.CachedInputTokenCount ?? 0 },
            ["output_tokens"] = usage.OutputTokenCount ?? 0,
            ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = usage.ReasoningTokenCount ?? 0 },
            ["total_tokens"] = usage.TotalTokenCount ?? (usage.InputTokenCount ?? 0) + (usage.OutputTokenCount ?? 0),
        };
    }

    /// <summary>Fills in a failure.</summary>
    public void Fail(ApiError error)
    {
        Json["status"] = "failed";
        Json["error"] = new JsonObject { ["code"] = error.Code, ["message"] = error.Message };
    }
}
