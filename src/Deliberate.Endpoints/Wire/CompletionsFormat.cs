using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Endpoints.Chat;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Wire;

/// <summary>OpenAI's chat completions, with the fields that other servers add for thoughts, templates and continuation.</summary>
internal sealed class CompletionsFormat : IWireFormat
{
    public string Path => "chat/completions";

    public bool StreamsLines => false;

    public JsonObject Write(WireRequest request)
    {
        var (server, options) = (request.Endpoint.ServerOrGuess, request.Options);
        var body = new JsonObject { ["model"] = request.Model, ["messages"] = WireBody.Messages(request.Messages) };
        if (options.MaxOutputTokens is { } most) body[server == ServerKind.OpenAI ? "max_completion_tokens" : "max_tokens"] = most;
        WireBody.Sampling(body, options);
        if (options.Seed is { } seed) body["seed"] = seed;
        if (options.StopSequences is { Count: > 0 } stops) body["stop"] = WireBody.List(stops);
        if (options.FrequencyPenalty is { } frequency) body["frequency_penalty"] = WireBody.Number(frequency);
        if (options.PresencePenalty is { } presence) body["presence_penalty"] = WireBody.Number(presence);
        if (options.TopK is { } topK) body["top_k"] = topK;
        if (request.Effort is { } effort) body["reasoning_effort"] = effort;
        if (request.Endpoint.EnableThinking is { } think) body["chat_template_kwargs"] = new JsonObject { ["enable_thinking"] = think };
        if (options.ResponseFormat is ChatResponseFormatJson format) body["response_format"] = Format(format);
        if (request.Continues) Continue(body, server);
        if (request.Stream)
        {
            body["stream"] = true;
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        }

        return body;
    }

    public Reply? Read(JsonElement root)
    {
        if (First(root) is not { } choice || choice.Get("message") is not { ValueKind: JsonValueKind.Object } message) return null;
        // A message may be empty, but then it says so: a JSON object without any of these is something else.
        if (!message.EnumerateObject().Any(field => field.Name is "content" or "refusal" or "tool_calls" || ThoughtFields.Names.Contains(field.Name))) return null;
        return Piece(root, choice, message);
    }

    public Reply ReadPiece(JsonElement root)
    {
        var choice = First(root);
        return Piece(root, choice, choice.Get("delta") ?? choice.Get("message"));
    }

    private static JsonElement? First(JsonElement root)
    {
        foreach (var choice in root.Get("choices").Items())
            if (choice.ValueKind == JsonValueKind.Object && choice.Get("index").Count() is null or 0) return choice;
        return null;
    }

    private static Reply Piece(JsonElement root, JsonElement? choice, JsonElement? message)
    {
        var usage = root.Get("usage");
        var content = message.Get("content").Content();
        return new()
        {
            Thinking = ThoughtFields.Read(message),
            // OpenAI gives a refusal in a field of its own; to the reader it is the answer.
            Text = content.Length > 0 ? content : message.Get("refusal").Text() ?? "",
            Finish = ReplyJson.Finish(choice.Get("finish_reason").Text()),
            Model = root.Get("model").Text(),
            Id = root.Get("id").Text(),
            Usage = ReplyJson.Usage(
                usage.Get("prompt_tokens").Count(), usage.Get("completion_tokens").Count(),
                usage.Get("completion_tokens_details").Get("reasoning_tokens").Count(), usage.Get("prompt_tokens_details").Get("cached_tokens").Count()),
        };
    }

    private static void Continue(JsonObject body, ServerKind server)
    {
        switch (server)
        {
            case ServerKind.Vllm or ServerKind.SGLang:
                body["continue_final_message"] = true;
                body["add_generation_prompt"] = false;
                break;
            case ServerKind.LlamaCpp:
                break; // goes on with a last message of the assistant by itself
            default:
                throw WireBody.NoContinuation(server == ServerKind.OpenAI ? "OpenAI's server" : "a server of unknown kind", "say which it is (vllm, sglang or llamacpp)");
        }
    }

    private static JsonObject Format(ChatResponseFormatJson format) => format.Schema is not { } schema
        ? new() { ["type"] = "json_object" }
        : new() { ["type"] = "json_schema", ["json_schema"] = new JsonObject { ["name"] = format.SchemaName ?? "reply", ["schema"] = JsonNode.Parse(schema.GetRawText()) } };
}
