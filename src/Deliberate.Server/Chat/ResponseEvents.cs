using System.Text;
using System.Text.Json.Nodes;
using Deliberate.Server.Hosting;
using Microsoft.Extensions.AI;

namespace Deliberate.Server.Chat;

/// <summary>The events of a streamed response: at most one item with the thought and one message, each with one part.</summary>
internal sealed class ResponseEvents(EventStream events, ResponseObject reply)
{
    private readonly StringBuilder _thinking = new(), _text = new();
    private bool? _open; // whether the open item is the thought; null: none is
    private int _sequence, _index = -1;

    /// <summary>Says that the response has begun.</summary>
    public async Task BeginAsync()
    {
        await WholeAsync("response.created").ConfigureAwait(false);
        await WholeAsync("response.in_progress").ConfigureAwait(false);
    }

    /// <summary>Goes on with the thought or the text.</summary>
    public async Task AddAsync(bool thought, string text)
    {
        if (text.Length == 0) return;
        // A thought that goes on after text has begun has no place in a stream of items that are closed one after the other.
        if (thought && _open == false) return;
        if (_open != thought) await OpenAsync(thought).ConfigureAwait(false);
        (thought ? _thinking : _text).Append(text);
        await PartAsync(thought ? "response.reasoning_text.delta" : "response.output_text.delta", thought, "delta", text).ConfigureAwait(false);
    }

    /// <summary>Ends the response.</summary>
    public async Task EndAsync(ChatFinishReason? finish, UsageDetails? usage)
    {
        await CloseAsync(finish).ConfigureAwait(false);
        reply.End(_thinking.ToString(), _text.ToString(), finish, usage);
        await WholeAsync((string?)reply.Json["status"] == "completed" ? "response.completed" : "response.incomplete").ConfigureAwait(false);
    }

    /// <summary>The event that says that the response failed.</summary>
    public JsonObject Failed(ApiError error)
    {
        reply.Fail(error);
        return new() { ["type"] = "response.failed", ["sequence_number"] = _sequence++, ["response"] = reply.Json.DeepClone() };
    }

    private async Task OpenAsync(bool thought)
    {
        await CloseAsync(null).ConfigureAwait(false);
        (_open, _index) = (thought, _index + 1);
        await SendAsync("response.output_item.added", new() { ["output_index"] = _index, ["item"] = reply.Item(thought, "in_progress") }).ConfigureAwait(false);
        await PartAsync("response.content_part.added", thought, "part", ResponseObject.Part(thought, "")).ConfigureAwait(false);
    }

    private async Task CloseAsync(ChatFinishReason? finish)
    {
        if (_open is not { } thought) return;
        var text = (thought ? _thinking : _text).ToString();
        await PartAsync(thought ? "response.reasoning_text.done" : "response.output_text.done", thought, "text", text).ConfigureAwait(false);
        await PartAsync("response.content_part.done", thought, "part", ResponseObject.Part(thought, text)).ConfigureAwait(false);
        var status = finish == ChatFinishReason.Length || finish == ChatFinishReason.ContentFilter ? "incomplete" : "completed";
        await SendAsync("response.output_item.done", new() { ["output_index"] = _index, ["item"] = reply.Item(thought, status, ResponseObject.Part(thought, text)) }).ConfigureAwait(false);
        _open = null;
    }

    private Task PartAsync(string type, bool thought, string field, JsonNode value)
    {
        var data = new JsonObject { ["item_id"] = reply.ItemId(thought), ["output_index"] = _index, ["content_index"] = 0, [field] = value };
        if (type.StartsWith("response.output_text.", StringComparison.Ordinal)) data["logprobs"] = new JsonArray();
        return SendAsync(type, data);
    }

    private Task WholeAsync(string type) => SendAsync(type, new() { ["response"] = reply.Json.DeepClone() });

    private Task SendAsync(string type, JsonObject data)
    {
        data.Insert(0, "type", type);
        data.Insert(1, "sequence_number", _sequence++);
        return events.SendAsync(data, type);
    }
}
