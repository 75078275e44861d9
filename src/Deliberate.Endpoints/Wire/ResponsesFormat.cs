using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Wire;

/// <summary>OpenAI's Responses. It has no seed, no stop texts and no continuation; nothing is stored at the server.</summary>
internal sealed class ResponsesFormat : IWireFormat
{
    // Items whose raw thought is streamed: their summary would say the same again.
    private readonly HashSet<string> _raw = [];

    public string Path => "responses";

    public bool StreamsLines => false;

    public JsonObject Write(WireRequest request)
    {
        if (request.Continues) throw WireBody.NoContinuation("the Responses interface", "use chat completions");
        var options = request.Options;
        var body = new JsonObject { ["model"] = request.Model, ["input"] = WireBody.Messages(request.Messages), ["store"] = false };
        if (options.MaxOutputTokens is { } most) body["max_output_tokens"] = most;
        WireBody.Sampling(body, options);
        var reasoning = new JsonObject();
        if (request.Effort is { } effort) reasoning["effort"] = effort;
        if (options.Reasoning?.Output is ReasoningOutput.Summary or ReasoningOutput.Full) reasoning["summary"] = options.Reasoning.Output == ReasoningOutput.Full ? "detailed" : "auto";
        if (reasoning.Count > 0) body["reasoning"] = reasoning;
        if (options.ResponseFormat is ChatResponseFormatJson format) body["text"] = new JsonObject { ["format"] = Format(format) };
        if (request.Stream) body["stream"] = true;
        return body;
    }

    public Reply? Read(JsonElement root)
    {
        if (root.Get("output") is not { ValueKind: JsonValueKind.Array } output) return null;
        var (thinking, text, hidden) = (new List<string>(), "", (string?)null);
        foreach (var item in ((JsonElement?)output).Items())
        {
            switch (item.Get("type").Text())
            {
                case "reasoning":
                    var raw = string.Concat(item.Get("content").Items().Select(part => part.Get("text").Text()));
                    var summary = string.Join("\n\n", item.Get("summary").Items().Select(part => part.Get("text").Text()).Where(part => part is not null));
                    if ((raw.Length > 0 ? raw : summary) is { Length: > 0 } thought) thinking.Add(thought);
                    hidden ??= item.Get("encrypted_content").Text();
                    break;
                case "message":
                    text += string.Concat(item.Get("content").Items().Select(part => part.Get("text").Text() ?? part.Get("refusal").Text()));
                    break;
            }
        }

        return End(root) with { Thinking = string.Join('\n', thinking), Text = text, ProtectedThinking = hidden };
    }

    public Reply ReadPiece(JsonElement root)
    {
        var delta = root.Get("delta").Text() ?? "";
        var item = root.Get("item_id").Text() ?? "";
        switch (root.Get("type").Text())
        {
            case "response.output_text.delta" or "response.refusal.delta":
                return new() { Text = delta };
            case "response.reasoning_text.delta":
                _raw.Add(item);
                return new() { Thinking = delta };
            case "response.reasoning_summary_text.delta" when !_raw.Contains(item):
                return new() { Thinking = delta };
            case "response.completed" or "response.incomplete":
                return root.Get("response") is { } response ? End(response) with { Last = true } : new() { Last = true };
            case "response.failed":
                throw new EndpointException(FailureReason.ServerError, ReplyJson.Error(root.Get("response") ?? root) ?? "the reply failed");
            case "error":
                throw new EndpointException(FailureReason.ServerError, root.Get("message").Text() ?? ReplyJson.Error(root) ?? "an error without a message");
            default:
                return new();
        }
    }

    private static Reply End(JsonElement response)
    {
        var usage = response.Get("usage");
        return new()
        {
            Finish = ReplyJson.Finish(response.Get("incomplete_details").Get("reason").Text() ?? (response.Get("status").Text() is "incomplete" ? "length" : response.Get("status").Text())),
            Model = response.Get("model").Text(),
            Id = response.Get("id").Text(),
            Usage = ReplyJson.Usage(
                usage.Get("input_tokens").Count(), usage.Get("output_tokens").Count(),
                usage.Get("output_tokens_details").Get("reasoning_tokens").Count(), usage.Get("input_tokens_details").Get("cached_tokens").Count()),
        };
    }

    private static JsonObject Format(ChatResponseFormatJson format) => format.Schema is not { } schema
        ? new() { ["type"] = "json_object" }
        : new() { ["type"] = "json_schema", ["name"] = format.SchemaName ?? "reply", ["schema"] = JsonNode.Parse(schema.GetRawText()) };
}
