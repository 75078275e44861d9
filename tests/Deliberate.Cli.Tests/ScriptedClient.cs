using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Tests;

/// <summary>A model that gives one update after another and notes what it was asked.</summary>
internal sealed class ScriptedClient(params AIContent[] contents) : IChatClient
{
    public List<string[]> Asked { get; } = [];

    public ChatFinishReason Reason { get; init; } = ChatFinishReason.Stop;

    public int FailAt { get; init; } = -1;

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Asked.Add([.. messages.Select(message => $"{message.Role}: {message.Text}")]);
        await Task.Yield();
        if (Asked.Count - 1 == FailAt) throw new ArgumentException("The prompt has 2000 tokens; the model has 1024 positions.");
        foreach (var content in contents)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return new ChatResponseUpdate(ChatRole.Assistant, [content]);
        }

        yield return new ChatResponseUpdate(ChatRole.Assistant, []) { FinishReason = Reason };
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
