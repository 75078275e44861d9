using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Deliberate.Serving;

/// <summary>
/// Keeps a model's thought from its callers: out of contents, fields, streamed pieces and errors, however the model marks it. A reply that was cut within its
/// thought has no text and finishes with <see cref="ChatFinishReason.Length"/>. The outermost of the clients that see thoughts; whatever logs or traces goes
/// around it. Thread-safe.
/// </summary>
/// <remarks>
/// A failing model becomes a <see cref="ModelFailedException"/>. Calls whose <see cref="CallContext"/> says so get the thought, as <see cref="TextReasoningContent"/>.
/// </remarks>
public sealed class HiddenThinkingChatClient : DelegatingChatClient
{
    private readonly HiddenThinkingOptions _options;
    private readonly bool _contextGoesOn;

    /// <summary>Hides the thoughts of a client's replies.</summary>
    public HiddenThinkingChatClient(IChatClient inner, HiddenThinkingOptions? options = null) : base(inner)
    {
        _options = options ?? new();
        _contextGoesOn = inner.GetService(typeof(AuditingChatClient)) is not null;
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var show = CallContext.Of(options)?.ShowThinking ?? false;
        ChatResponse response;
        try
        {
            response = ThoughtReplies.Normal(await base.GetResponseAsync(messages, Inner(options), cancellationToken).ConfigureAwait(false), _options);
        }
#pragma warning disable CA1031 // whatever it is, its message may quote the thought
        catch (Exception failure)
        {
            throw Failure(failure, cancellationToken);
        }
#pragma warning restore CA1031
        if (!show) Hide(response.Messages[0].Contents);
        return response;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var show = CallContext.Of(options)?.ShowThinking ?? false;
        var updates = ThoughtReplies.NormalAsync(Inner(messages, Inner(options), cancellationToken), _options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var _ = updates.ConfigureAwait(false);
        while (true)
        {
            try
            {
                if (!await updates.MoveNextAsync().ConfigureAwait(false)) yield break;
            }
#pragma warning disable CA1031 // whatever it is, its message may quote the thought
            catch (Exception failure)
            {
                throw Failure(failure, cancellationToken);
            }
#pragma warning restore CA1031
            var update = updates.Current;
            if (!show) Hide(update.Contents);
            // A piece that held a thought alone is dropped: how many there are and when they come says something of the thought too.
            if (update.Contents.Count > 0 || update.FinishReason is not null) yield return update;
        }
    }

    private async IAsyncEnumerable<ChatResponseUpdate> Inner(IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Within an iterator, so that a client which throws before it streams is no exception to the rule.
        await foreach (var update in base.GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)) yield return update;
    }

    private ChatOptions? Inner(ChatOptions? options) => _contextGoesOn ? options : CallContext.Without(options);

    private static void Hide(IList<AIContent> contents)
    {
        for (var i = contents.Count - 1; i >= 0; i--)
            if (ThoughtReplies.IsThought(contents[i])) contents.RemoveAt(i);
    }

    private Exception Failure(Exception failure, CancellationToken cancellationToken) =>
        failure is OperationCanceledException && cancellationToken.IsCancellationRequested ? new OperationCanceledException(cancellationToken)
        : failure is ModelFailedException known ? known
        : new ModelFailedException(_options.FailureKind(failure));
}
