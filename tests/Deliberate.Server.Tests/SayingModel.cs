using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Deliberate.Server.Tests;

/// <summary>A model that says what it is told to, in pieces, and notes what it was asked.</summary>
internal sealed class SayingModel(Func<IReadOnlyList<ChatMessage>, Saying> say) : IChatClient
{
    public SayingModel(string thinking, string answer) : this(_ => new([new TextReasoningContent(thinking), new TextContent(answer)]))
    {
    }

    public List<(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)> Asked { get; } = [];

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var saying = Say(messages, options);
        await Task.Yield();
        if (saying.Before is { } before) await before(cancellationToken);
        if (saying.Failure is not null) throw saying.Failure;
        // A whole reply has its text in one piece.
        List<AIContent> contents = [.. saying.Pieces.Where(piece => piece is not TextContent), new TextContent(string.Concat(saying.Pieces.OfType<TextContent>().Select(piece => piece.Text)))];
        return new(new ChatMessage(ChatRole.Assistant, contents)) { FinishReason = saying.Finish, ModelId = "inner", Usage = Used() };
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var saying = Say(messages, options);
        await Task.Yield();
        foreach (var piece in saying.Pieces) yield return new(ChatRole.Assistant, [piece is TextContent text ? new TextContent(text.Text) : piece]);
        if (saying.Before is { } before) await before(cancellationToken);
        if (saying.Failure is not null) throw saying.Failure;
        yield return new(ChatRole.Assistant, [new UsageContent(Used())]) { FinishReason = saying.Finish };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("test", null, "fingerprint") : null;

    public void Dispose()
    {
    }

    private Saying Say(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        List<ChatMessage> list = [.. messages];
        lock (Asked) Asked.Add((list, options));
        return say(list);
    }

    private static UsageDetails Used() => new() { InputTokenCount = 11, OutputTokenCount = 7, TotalTokenCount = 18, ReasoningTokenCount = 4 };
}

/// <summary>What a model says.</summary>
internal sealed record Saying(IReadOnlyList<AIContent> Pieces)
{
    public ChatFinishReason Finish { get; init; } = ChatFinishReason.Stop;

    public Exception? Failure { get; init; }

    /// <summary>Waits before the end.</summary>
    public Func<CancellationToken, Task>? Before { get; init; }
}
