using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Deliberate.Tests.Serving;

/// <summary>A model that says the same to everyone, in the pieces in which it is written down.</summary>
internal sealed class CutReplies(params AIContent[] contents) : IChatClient
{
    public List<(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)> Asked { get; } = [];

    public ChatFinishReason? Finish { get; init; } = ChatFinishReason.Stop;

    public Exception? Failure { get; init; }

    public Action<ChatResponse> Change { get; init; } = _ => { };

    /// <summary>A text as pieces that end at these places.</summary>
    public static AIContent[] Cut(string text, params int[] places)
    {
        int[] ends = [0, .. places, text.Length];
        return [.. ends.Zip(ends.Skip(1), (start, end) => new TextContent(text[start..end]))];
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        Asked.Add(([.. messages], options));
        if (Failure is not null) throw Failure;
        var text = string.Concat(contents.OfType<TextContent>().Select(content => content.Text));
        var response = new ChatResponse(new ChatMessage(ChatRole.Assistant, [.. contents.Where(content => content is not TextContent), new TextContent(text)])) { FinishReason = Finish, Usage = new() { OutputTokenCount = 7, ReasoningTokenCount = 4 } };
        Change(response);
        return Task.FromResult(response);
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Asked.Add(([.. messages], options));
        await Task.Yield();
        foreach (var content in contents) yield return new(ChatRole.Assistant, [content is TextContent text ? new TextContent(text.Text) : content]);
        if (Failure is not null) throw Failure;
        yield return new(ChatRole.Assistant, [new UsageContent(new() { OutputTokenCount = 7, ReasoningTokenCount = 4 })]) { FinishReason = Finish };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
