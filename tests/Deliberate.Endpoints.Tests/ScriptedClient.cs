using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Tests;

/// <summary>A client that does at each attempt what a test says; attempts count from 1.</summary>
internal sealed class ScriptedClient(Func<int, CancellationToken, Task<ChatResponse>> answer) : IChatClient
{
    private int _attempts;

    public int Attempts => _attempts;

    public static ChatMessage[] Ask(string text) => [new(ChatRole.User, text)];

    public static ChatResponse Say(string text, long? input = 10, long? output = 5) => new(new ChatMessage(ChatRole.Assistant, text))
    {
        FinishReason = ChatFinishReason.Stop,
        Usage = input is null && output is null ? null : new() { InputTokenCount = input, OutputTokenCount = output },
    };

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        answer(Interlocked.Increment(ref _attempts), cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates()) yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("scripted", null, "scripted-1") : null;

    public void Dispose()
    {
    }
}
