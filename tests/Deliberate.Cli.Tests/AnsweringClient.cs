using System.Collections.Concurrent;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Tests;

/// <summary>A model that answers by what it is asked, and notes it.</summary>
internal sealed class AnsweringClient(Func<string, string> answer) : IChatClient
{
    public ConcurrentQueue<string> Asked { get; } = [];

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var text = string.Join('\n', messages.Select(message => message.Text));
        Asked.Enqueue(text);
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer(text))) { FinishReason = ChatFinishReason.Stop, ModelId = "fake" });
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
