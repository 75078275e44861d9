using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Auditing;
using Deliberate.Conversations;
using Deliberate.Evaluation;
using Deliberate.Policies;
using Microsoft.Extensions.AI;

namespace Deliberate.Serving;

/// <summary>What an audit log says of the model that is served. Immutable.</summary>
/// <param name="Model">The name under which it is served.</param>
/// <param name="Fingerprint">Names its parameters; null: what the client says of itself.</param>
/// <param name="Policy">The version of the policy that it serves, in which cited clauses are looked up; null: none.</param>
public sealed record AuditedModel(string Model, string? Fingerprint = null, Policy? Policy = null);

/// <summary>
/// Writes every exchange to an <see cref="AuditLog"/>, with its thought, whether it was answered, failed or was broken off. A response is handed on, and a
/// stream comes to its end, when its record is on disk; where it cannot be written the call fails. It sits within <see cref="HiddenThinkingChatClient"/> and
/// around <see cref="PolicyChatClient"/>. Thread-safe.
/// </summary>
public sealed class AuditingChatClient : DelegatingChatClient
{
    private readonly AuditLog _log;
    private readonly AuditedModel _model;
    private readonly HiddenThinkingOptions _thinking;
    private readonly TimeProvider _time;
    private readonly string? _fingerprint;

    /// <summary>Audits a model.</summary>
    /// <param name="inner">The model.</param>
    /// <param name="log">Where exchanges are written to; it stays the caller's.</param>
    /// <param name="model">What is said of the model.</param>
    /// <param name="thinking">How the model marks its thoughts.</param>
    /// <param name="time">Tells the time; null: the system's.</param>
    public AuditingChatClient(IChatClient inner, AuditLog log, AuditedModel model, HiddenThinkingOptions? thinking = null, TimeProvider? time = null) : base(inner)
    {
        (_log, _model, _thinking, _time) = (log, model, thinking ?? new(), time ?? TimeProvider.System);
        _fingerprint = model.Fingerprint ?? (inner.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId;
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var (list, context, begun) = (messages.ToList(), CallContext.Of(options), _time.GetUtcNow());
        ChatResponse response;
        try
        {
            response = await base.GetResponseAsync(list, CallContext.Without(options), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            await WriteAsync(list, options, context, begun, null, failure, cancellationToken.IsCancellationRequested).ConfigureAwait(false);
            throw;
        }

        await WriteAsync(list, options, context, begun, response, null, false).ConfigureAwait(false);
        return response;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (list, context, begun, updates, ended) = (messages.ToList(), CallContext.Of(options), _time.GetUtcNow(), new List<ChatResponseUpdate>(), false);
        Exception? problem = null;
        var source = base.GetStreamingResponseAsync(list, CallContext.Without(options), cancellationToken).GetAsyncEnumerator(cancellationToken);
        try
        {
            var held = new List<ChatResponseUpdate>();
            while (true)
            {
                try
                {
                    if (!await source.MoveNextAsync().ConfigureAwait(false)) break;
                }
                catch (Exception failure)
                {
                    problem = failure;
                    throw;
                }

                updates.Add(Copy(source.Current));
                // What says that the reply is whole waits for the disk.
                if (held.Count > 0 || source.Current.FinishReason is not null) held.Add(source.Current);
                else yield return source.Current;
            }

            ended = true;
            await WriteAsync(list, options, context, begun, updates.ToChatResponse(), null, false).ConfigureAwait(false);
            foreach (var update in held) yield return update;
        }
        finally
        {
            // A caller that stops reading leaves the exchange unfinished, which is noted like any other.
            if (!ended) await WriteAsync(list, options, context, begun, updates.ToChatResponse(), problem, problem is null || cancellationToken.IsCancellationRequested).ConfigureAwait(false);
            await source.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Those who get the update may change it, and the log must not depend on that.
    private static ChatResponseUpdate Copy(ChatResponseUpdate update)
    {
        var copy = update.Clone();
        copy.Contents = [.. update.Contents];
        copy.RawRepresentation = null;
        return copy;
    }

    private async Task WriteAsync(List<ChatMessage> messages, ChatOptions? options, CallContext? context, DateTimeOffset begun, ChatResponse? response, Exception? failure, bool left)
    {
        var completion = response is null ? new Completion("", "") : CompletionReader.Read(response, _thinking.Start == ThoughtStart.Thought);
        var cited = ClauseCitations.Find($"{completion.Thinking}\n{completion.Answer}");
        if (options?.Instructions is { Length: > 0 } instructions) messages.Insert(0, new(ChatRole.System, instructions));
        var properties = response?.AdditionalProperties;
        var exchange = new AuditExchange
        {
            Id = context?.Id ?? $"ex-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}",
            Caller = context?.Caller,
            Begun = begun,
            Ended = _time.GetUtcNow(),
            Model = _model.Model,
            Fingerprint = _fingerprint ?? response?.ModelId,
            PolicyHash = _model.Policy?.Hash,
            Category = properties?.TryGetValue(PolicyChatClient.CategoryProperty, out var category) == true ? category as string : null,
            Stripped = properties?.TryGetValue(PolicyChatClient.StrippedProperty, out var stripped) == true && stripped is int count ? count : 0,
            Citations = [.. cited.Select(code => new AuditCitation(code, _model.Policy?.Find(code) is not null))],
            Outcome = left ? AuditOutcome.BrokenOff : failure is not null ? AuditOutcome.Failed : completion.Truncated ? AuditOutcome.Truncated : AuditOutcome.Answered,
            InputTokens = response?.Usage?.InputTokenCount,
            OutputTokens = response?.Usage?.OutputTokenCount,
            ReasoningTokens = response?.Usage?.ReasoningTokenCount,
            ThinkingShown = context?.ShowThinking ?? false,
            Conversation = [.. Conversation.FromMessages(messages).Turns],
            Thinking = completion.Thinking,
            Answer = completion.Answer,
            Error = failure is null ? null : Told(failure),
        };
        try
        {
            await _log.AppendAsync(exchange).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException)
        {
            throw new ModelFailedException(ModelFailedException.AuditLog);
        }
    }

    private static string Told(Exception failure)
    {
        var told = new StringBuilder();
        for (var cause = failure; cause is not null && told.Length < 4000; cause = cause.InnerException) told.Append(told.Length > 0 ? " <- " : "").Append(cause.GetType().Name).Append(": ").Append(cause.Message);
        return told.ToString();
    }
}
