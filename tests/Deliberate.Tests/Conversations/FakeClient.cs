using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Deliberate.Tests.Conversations;

/// <summary>A model in a function; it keeps every request.</summary>
internal sealed class FakeClient(Func<IReadOnlyList<ChatMessage>, ChatOptions, CancellationToken, Task<ChatResponse>> answer) : IChatClient
{
    private readonly List<(string Text, ChatOptions Options)> _requests = [];

    public FakeClient(Func<IReadOnlyList<ChatMessage>, ChatOptions, string> answer)
        : this(async (messages, options, _) =>
        {
            await Task.Yield();
            return Say(answer(messages, options));
        })
    {
    }

    public IReadOnlyList<(string Text, ChatOptions Options)> Requests
    {
        get
        {
            lock (_requests) return [.. _requests];
        }
    }

    public static ChatResponse Say(string text) => new(new ChatMessage(ChatRole.Assistant, text));

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var list = messages.ToArray();
        lock (_requests) _requests.Add((string.Join('\n', list.Select(message => message.Text)), options!));
        return answer(list, options!, cancellationToken);
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates()) yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("fake", null, "fake-1") : null;

    public void Dispose()
    {
    }
}
