using System.Globalization;
using Microsoft.Extensions.AI;

namespace Deliberate.StoreHost;

/// <summary>A model that tells of every call and answers after a moment with a text that no other call gets.</summary>
internal sealed class TellingClient(Action<string> tell) : IChatClient
{
    public static ChatMessage[] Prompt(int number) => [new(ChatRole.User, number.ToString(CultureInfo.InvariantCulture))];

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var prompt = messages.Single().Text;
        tell($"call {prompt}");
        await Task.Delay(Random.Shared.Next(4), cancellationToken);
        return new(new ChatMessage(ChatRole.Assistant, $"{prompt}:{Guid.NewGuid():N}"));
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
