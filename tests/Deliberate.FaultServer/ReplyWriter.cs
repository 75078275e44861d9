using System.Text.Json.Nodes;

namespace Deliberate.Faults;

/// <summary>Writes replies as servers do: whole, and in pieces.</summary>
internal static class ReplyWriter
{
    /// <summary>A whole reply.</summary>
    public static JsonObject Whole(FaultApi api, ReasoningDialect dialect, string model, ScriptedReply reply) => api switch
    {
        FaultApi.Responses => Response(model, reply),
        FaultApi.Ollama => Ollama(model, reply.Thinking, reply.Answer, reply),
        _ => new()
        {
            ["id"] = "c1",
            ["object"] = "chat.completion",
            ["model"] = model,
            ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["message"] = With(Message(dialect, reply), "role", "assistant"), ["finish_reason"] = reply.Finish }),
            ["usage"] = Usage(reply, "prompt_tokens", "completion_tokens"),
        },
    };

    /// <summary>The data of a stream's events, or its lines.</summary>
    public static IEnumerable<string> Pieces(FaultApi api, ReasoningDialect dialect, string model, ScriptedReply reply, int length) => api switch
    {
        FaultApi.Responses => ResponsePieces(model, reply, length),
        FaultApi.Ollama => OllamaPieces(model, reply, length),
        _ => CompletionPieces(dialect, model, reply, length),
    };

    private static IEnumerable<string> CompletionPieces(ReasoningDialect dialect, string model, ScriptedReply reply, int length)
    {
        var (thinking, text) = Message(dialect, reply) is var message && dialect is ReasoningDialect.Tags or ReasoningDialect.ClosingTag or ReasoningDialect.Harmony
            ? ("", (string)message["content"]!) : (reply.Thinking, reply.Answer);
        yield return Chunk(model, new() { ["role"] = "assistant", ["content"] = "" });
        foreach (var piece in Cut(thinking, length)) yield return Chunk(model, Message(dialect, new(piece, "")));
        foreach (var piece in Cut(text, length)) yield return Chunk(model, new() { ["content"] = piece });
        yield return Chunk(model, [], reply.Finish);
        yield return new JsonObject { ["model"] = model, ["choices"] = new JsonArray(), ["usage"] = Usage(reply, "prompt_tokens", "completion_tokens") }.ToJsonString();
        yield return "[DONE]";
    }

    private static IEnumerable<string> ResponsePieces(string model, ScriptedReply reply, int length)
    {
        yield return new JsonObject { ["type"] = "response.created" }.ToJsonString();
        foreach (var piece in Cut(reply.Thinking, length)) yield return new JsonObject { ["type"] = "response.reasoning_text.delta", ["item_id"] = "rs_1", ["delta"] = piece }.ToJsonString();
        foreach (var piece in Cut(reply.Answer, length)) yield return new JsonObject { ["type"] = "response.output_text.delta", ["item_id"] = "msg_1", ["delta"] = piece }.ToJsonString();
        yield return new JsonObject { ["type"] = reply.Finish == "length" ? "response.incomplete" : "response.completed", ["response"] = Response(model, reply) }.ToJsonString();
    }

    private static IEnumerable<string> OllamaPieces(string model, ScriptedReply reply, int length)
    {
        foreach (var piece in Cut(reply.Thinking, length)) yield return Ollama(model, piece, "", null).ToJsonString();
        foreach (var piece in Cut(reply.Answer, length)) yield return Ollama(model, "", piece, null).ToJsonString();
        yield return Ollama(model, "", "", reply).ToJsonString();
    }

    private static JsonObject Message(ReasoningDialect dialect, ScriptedReply reply)
    {
        var (thinking, answer) = (reply.Thinking, reply.Answer);
        if (thinking.Length == 0) return new() { ["content"] = answer };
        return dialect switch
        {
            ReasoningDialect.Reasoning => new() { ["reasoning"] = thinking, ["content"] = answer },
            ReasoningDialect.ReasoningContent => new() { ["reasoning_content"] = thinking, ["content"] = answer },
            ReasoningDialect.ReasoningDetails => new() { ["reasoning_details"] = new JsonArray(new JsonObject { ["type"] = "reasoning.text", ["text"] = thinking }), ["content"] = answer },
            ReasoningDialect.Tags => new() { ["content"] = $"<think>\n{thinking}\n</think>\n\n{answer}" },
            ReasoningDialect.ClosingTag => new() { ["content"] = $"{thinking}\n</think>\n\n{answer}" },
            ReasoningDialect.Harmony => new() { ["content"] = $"<|channel|>analysis<|message|>{thinking}<|end|><|start|>assistant<|channel|>final<|message|>{answer}<|return|>" },
            _ => new()
            {
                ["content"] = new JsonArray(
                    new JsonObject { ["type"] = "thinking", ["thinking"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = thinking }) },
                    new JsonObject { ["type"] = "text", ["text"] = answer }),
            },
        };
    }

    private static JsonObject Response(string model, ScriptedReply reply)
    {
        var output = new JsonArray();
        if (reply.Thinking.Length > 0)
            output.Add(new JsonObject { ["type"] = "reasoning", ["id"] = "rs_1", ["summary"] = new JsonArray(), ["content"] = new JsonArray(new JsonObject { ["type"] = "reasoning_text", ["text"] = reply.Thinking }) });
        output.Add(new JsonObject { ["type"] = "message", ["role"] = "assistant", ["content"] = new JsonArray(new JsonObject { ["type"] = "output_text", ["text"] = reply.Answer }) });
        var response = new JsonObject
        {
            ["id"] = "r1",
            ["object"] = "response",
            ["model"] = model,
            ["status"] = reply.Finish == "length" ? "incomplete" : "completed",
            ["output"] = output,
            ["usage"] = Usage(reply, "input_tokens", "output_tokens"),
        };
        if (reply.Finish == "length") response["incomplete_details"] = new JsonObject { ["reason"] = "max_output_tokens" };
        return response;
    }

    private static JsonObject Ollama(string model, string thinking, string answer, ScriptedReply? end)
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = answer };
        if (thinking.Length > 0) message["thinking"] = thinking;
        var json = new JsonObject { ["model"] = model, ["message"] = message, ["done"] = end is not null };
        if (end is null) return json;
        json["done_reason"] = end.Finish;
        foreach (var (name, value) in Usage(end, "prompt_eval_count", "eval_count").ToList()) json[name] = value!.DeepClone();
        return json;
    }

    private static string Chunk(string model, JsonObject delta, string? finish = null) => new JsonObject
    {
        ["id"] = "c1",
        ["object"] = "chat.completion.chunk",
        ["model"] = model,
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finish }),
    }.ToJsonString();

    private static JsonObject With(JsonObject json, string name, string value)
    {
        json[name] = value;
        return json;
    }

    private static JsonObject Usage(ScriptedReply reply, string input, string output) => new() { [input] = 10, [output] = Math.Max(1, (reply.Thinking.Length + reply.Answer.Length) / 4) };

    private static IEnumerable<string> Cut(string text, int length)
    {
        for (var at = 0; at < text.Length; at += length) yield return text.Substring(at, Math.Min(length, text.Length - at));
    }
}
