using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Wire;

/// <summary>Ollama's own chat. It goes on with a last message of the assistant by itself.</summary>
internal sealed class OllamaFormat : IWireFormat
{
    public string Path => "api/chat";

    public bool StreamsLines => true;

    public JsonObject Write(WireRequest request)
    {
        var options = request.Options;
        var body = new JsonObject { ["model"] = request.Model, ["messages"] = WireBody.Messages(request.Messages), ["stream"] = request.Stream };
        // A switch goes before a level: only some models know levels.
        if (request.Endpoint.EnableThinking is { } think) body["think"] = think;
        else if (request.Effort is { } effort) body["think"] = effort == "none" ? false : JsonValue.Create(effort);
        if (options.ResponseFormat is ChatResponseFormatJson format) body["format"] = format.Schema is { } schema ? JsonNode.Parse(schema.GetRawText()) : "json";
        var sampling = new JsonObject();
        WireBody.Sampling(sampling, options);
        if (options.TopK is { } topK) sampling["top_k"] = topK;
        if (options.Seed is { } seed) sampling["seed"] = seed;
        if (options.MaxOutputTokens is { } most) sampling["num_predict"] = most;
        if (options.StopSequences is { Count: > 0 } stops) sampling["stop"] = WireBody.List(stops);
        if (options.FrequencyPenalty is { } frequency) sampling["frequency_penalty"] = WireBody.Number(frequency);
        if (options.PresencePenalty is { } presence) sampling["presence_penalty"] = WireBody.Number(presence);
        if (sampling.Count > 0) body["options"] = sampling;
        return body;
    }

    public Reply? Read(JsonElement root) => root.Get("message") is { ValueKind: JsonValueKind.Object } ? ReadPiece(root) : null;

    public Reply ReadPiece(JsonElement root)
    {
        var message = root.Get("message");
        return new()
        {
            Thinking = ThoughtFields.Read(message),
            Text = message.Get("content").Content(),
            Finish = ReplyJson.Finish(root.Get("done_reason").Text()),
            Model = root.Get("model").Text(),
            Last = root.Get("done").IsTrue(),
            Usage = ReplyJson.Usage(root.Get("prompt_eval_count").Count(), root.Get("eval_count").Count()),
        };
    }
}
