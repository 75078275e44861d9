using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Endpoints.Chat;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Wire;

/// <summary>Turns messages and options into the body of a request.</summary>
internal static class RequestWriter
{
    /// <summary>The body, and how a text that answers it begins.</summary>
    public static (JsonObject Body, bool? Opened) Write(IWireFormat format, ChatEndpointOptions endpoint, IEnumerable<ChatMessage> messages, ChatOptions? options, bool stream)
    {
        options ??= new();
        if (options.Tools is { Count: > 0 }) throw new NotSupportedException("A chat endpoint calls no tools: leave ChatOptions.Tools empty.");
        var list = messages.ToList();
        if (options.Instructions is { Length: > 0 } instructions) list.Insert(0, new(ChatRole.System, instructions));
        if (list.Count == 0) throw new ArgumentException("There is no message to answer.", nameof(messages));
        var (opened, sent) = (endpoint.ThinkingOpened, new List<WireMessage>(list.Count));
        foreach (var message in list)
        {
            if (message.Contents.FirstOrDefault(content => content is DataContent or UriContent or FunctionCallContent or FunctionResultContent) is { } other)
                throw new NotSupportedException($"A chat endpoint sends text alone, not {other.GetType().Name}.");
            var continued = ReferenceEquals(message, list[^1]) && message.Role == ChatRole.Assistant;
            // The thoughts of earlier turns are no part of a conversation; that of a turn to go on with is the beginning of the reply.
            sent.Add(new(message.Role.Value, continued ? Beginning(message, out opened) : message.Text));
        }

        var body = format.Write(new(endpoint, sent, options, stream));
        if (endpoint.ExtraBody is { } extra) WireBody.Merge(body, extra);
        if (options.AdditionalProperties is { Count: > 0 } properties) WireBody.Merge(body, Extra(properties));
        return (body, opened);
    }

    private static string Beginning(ChatMessage message, out bool? opened)
    {
        var thinking = string.Concat(message.Contents.OfType<TextReasoningContent>().Select(content => content.Text));
        var text = message.Text;
        if (thinking.Length == 0)
        {
            var read = Conversations.CompletionReader.Read(text);
            opened = read.Truncated;
            return text;
        }

        opened = text.Length == 0;
        return text.Length == 0 ? $"<think>\n{thinking}" : $"<think>\n{thinking}\n</think>\n\n{text}";
    }

    private static JsonObject Extra(AdditionalPropertiesDictionary properties)
    {
        var extra = new JsonObject();
        foreach (var (name, value) in properties)
        {
            extra[name] = value switch
            {
                null => null,
                JsonNode node => node.DeepClone(),
                JsonElement json => JsonNode.Parse(json.GetRawText()),
                string text => text,
                bool flag => flag,
                int number => number,
                long number => number,
                float number => WireBody.Number(number),
                double number => number,
                decimal number => number,
                IEnumerable<string> texts => WireBody.List(texts),
                _ => throw new NotSupportedException($"ChatOptions.AdditionalProperties['{name}'] is a {value.GetType().Name}, which cannot be sent: use text, a number, true or false, or a JsonNode."),
            };
        }

        return extra;
    }
}
