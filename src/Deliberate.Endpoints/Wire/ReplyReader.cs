using System.Text.Json;
using Deliberate.Conversations;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Wire;

/// <summary>
/// Reads replies into chat responses: first the thought as reasoning content, then the answer as text. Throws nothing but
/// <see cref="EndpointException"/>, whatever the bytes are.
/// </summary>
internal static class ReplyReader
{
    /// <summary>Reads a whole reply.</summary>
    /// <param name="format">The interface.</param>
    /// <param name="json">The body, in UTF-8.</param>
    /// <param name="opened">Whether the text begins inside the thought; null when that is not known.</param>
    /// <param name="model">The model that was asked.</param>
    public static ChatResponse Read(IWireFormat format, ReadOnlyMemory<byte> json, bool? opened, string model)
    {
        var reply = Guarded(json, root => ReplyJson.Error(root) is { } error
            ? throw new EndpointException(ReplyJson.ErrorReason(root), $"an error in place of a reply: {Refusals.OneLine(error)}")
            : format.Read(root) ?? throw new EndpointException(FailureReason.MalformedReply, $"the reply has no message: {Fields(root)}"));
        return Response(reply, opened, model);
    }

    /// <summary>Reads a piece of a streamed reply.</summary>
    public static Reply ReadPiece(IWireFormat format, ReadOnlyMemory<byte> json) => Guarded(json, root =>
        root.ValueKind != JsonValueKind.Object ? throw new EndpointException(FailureReason.MalformedReply, "a piece of the stream is no JSON object")
        : ReplyJson.Error(root) is { } error ? throw new EndpointException(ReplyJson.ErrorReason(root), $"an error in the stream: {Refusals.OneLine(error)}")
        : format.ReadPiece(root));

    /// <summary>How a stream's text begins.</summary>
    public static ThoughtStart Start(bool? opened) => opened switch { true => ThoughtStart.Thought, false => ThoughtStart.Answer, _ => ThoughtStart.Unknown };

    /// <summary>A thought that never ends is a completion that was cut, whatever its server says; the server's word is kept beside it.</summary>
    public static ChatFinishReason? Finish(Reply reply, bool unclosed, out AdditionalPropertiesDictionary? properties)
    {
        properties = unclosed && reply.Finish != ChatFinishReason.Length ? new() { ["finish_reason"] = reply.Finish?.Value } : null;
        return unclosed ? ChatFinishReason.Length : reply.Finish;
    }

    private static ChatResponse Response(Reply reply, bool? opened, string model)
    {
        var apart = reply.Thinking.Length > 0;
        var read = CompletionReader.Read(reply.Text, opened == true && !apart, reply.Finish == ChatFinishReason.Length);
        var thinking = !apart ? read.Thinking : read.Thinking.Length == 0 ? reply.Thinking.Trim() : $"{reply.Thinking.Trim()}\n{read.Thinking}";
        var contents = new List<AIContent>();
        // An empty thought that the text did mark is given too: it says that the rest is the answer.
        if (thinking.Length > 0 || reply.ProtectedThinking is not null || opened == true) contents.Add(new TextReasoningContent(thinking) { ProtectedData = reply.ProtectedThinking });
        contents.Add(new TextContent(read.Answer));
        var finish = Finish(reply, read.Truncated, out var properties);
        return new(new ChatMessage(ChatRole.Assistant, contents) { MessageId = reply.Id })
        {
            ResponseId = reply.Id,
            ModelId = reply.Model ?? model,
            FinishReason = finish,
            Usage = reply.Usage,
            AdditionalProperties = properties,
        };
    }

    // What a server wrote in place of a reply may be a thought: the names of its fields are enough to see what is wrong.
    private static string Fields(JsonElement root) => root.ValueKind == JsonValueKind.Object
        ? $"its fields are {Refusals.OneLine(string.Join(", ", root.EnumerateObject().Select(field => field.Name).Take(8)))}" : $"it is a JSON {root.ValueKind.ToString().ToLowerInvariant()}";

    private static Reply Guarded(ReadOnlyMemory<byte> json, Func<JsonElement, Reply> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return read(document.RootElement);
        }
        // The second comes from text that JSON can write and .NET cannot read: half of a surrogate pair, or bytes that are no UTF-8.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new EndpointException(FailureReason.MalformedReply, $"the reply is no JSON: {Refusals.OneLine(e.Message)}", inner: e);
        }
    }
}
