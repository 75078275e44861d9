using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Deliberate.Runs.Store;

/// <summary>
/// A client that pays for nothing twice: it gives what the store holds, lets equal calls that run at the same time share one, keeps every new response
/// before handing it on, and notes calls that failed. Belongs outside of retries and limits, so that it sees only the last word of each call. Thread-safe
/// as far as the client within is. The store is not disposed with it.
/// </summary>
/// <remarks>
/// What a call is about comes from <see cref="CallDetails.Current"/>. A streamed response is handed on only when it is whole and kept. A call that its
/// caller cancels is no failure.
/// </remarks>
public sealed class ResponseStoreClient : DelegatingChatClient
{
    private readonly ResponseStore _store;
    private readonly StoreContext _context;
    private readonly string _model;
    private long _reused, _paid, _failed;

    /// <summary>Puts a store before a client.</summary>
    /// <exception cref="ArgumentException">The store is read-only, or the model has no name.</exception>
    public ResponseStoreClient(IChatClient inner, ResponseStore store, StoreContext context) : base(inner)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(context);
        if (store.IsReadOnly) throw new ArgumentException($"{store.FilePath} was opened for reading only: open it for writing.", nameof(store));
        (_store, _context) = (store, context);
        _model = context.Model ?? NameOf(inner) ?? throw new ArgumentException("The client does not name its model: give a name or fingerprint in the context.", nameof(context));
    }

    /// <summary>Calls that were answered from the store, or by an equal call that ran at the same time.</summary>
    public long Reused => Interlocked.Read(ref _reused);

    /// <summary>Calls that were made and answered.</summary>
    public long Paid => Interlocked.Read(ref _paid);

    /// <summary>Calls that were made and failed.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <inheritdoc/>
    public override Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var list = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        return AnswerAsync(list, options, () => base.GetResponseAsync(list, options, cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var list = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var response = await AnswerAsync(list, options, () => base.GetStreamingResponseAsync(list, options, cancellationToken).ToChatResponseAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        foreach (var update in response.ToChatResponseUpdates()) yield return update;
    }

    private async Task<ChatResponse> AnswerAsync(IReadOnlyList<ChatMessage> messages, ChatOptions? options, Func<Task<ChatResponse>> ask, CancellationToken cancellationToken)
    {
        var details = CallDetails.Current ?? new CallDetails("");
        var request = CanonicalRequest.Of(messages, options);
        var call = new Call(request.Key(_model, details.TemplateVersion, details.SampleIndex), request, details,
            new(_context.Run, _context.Stage, details.PromptId, details.Spec?.PolicyHash, details.Spec?.Category));
        while (true)
        {
            var flight = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var first = _store.Flights.GetOrAdd(call.Key, flight);
            if (first == flight) return await LeadAsync(call, flight, ask, cancellationToken).ConfigureAwait(false);
            // Another call asks the same just now. Its failure is this one's too; when it is cancelled, this one asks itself.
            await first.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ChatResponse> LeadAsync(Call call, TaskCompletionSource flight, Func<Task<ChatResponse>> ask, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            return await FindOrAskAsync(call, ask, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception problem) when (!(problem is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            failure = problem;
            throw;
        }
        finally
        {
            _store.Flights.TryRemove(new(call.Key, flight));
            if (failure is null)
            {
                flight.SetResult();
            }
            else
            {
                flight.SetException(failure);
                _ = flight.Task.Exception; // seen, also when nobody waits
            }
        }
    }

    private async Task<ChatResponse> FindOrAskAsync(Call call, Func<Task<ChatResponse>> ask, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (known, hasFailed) = _store.Look(call.Key);
        if (known is not null) return await ReuseAsync(call, known).ConfigureAwait(false);
        if (hasFailed && !_context.RetryFailed && _store.FindFailure(call.Key) is { } failed) throw new KnownFailureException(failed);
        ChatResponse response;
        try
        {
            response = await ask().ConfigureAwait(false);
        }
        catch (Exception problem) when (!(problem is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            Interlocked.Increment(ref _failed);
            if (problem is not IFinalFailure { EndsRun: true }) await NoteFailureAsync(call, problem).ConfigureAwait(false);
            throw;
        }

        var added = await _store.AddAsync(new(call.Key, call.Request, _model, call.Details, call.Use, response, _context.Cost?.Invoke(response))).ConfigureAwait(false);
        Interlocked.Increment(ref _paid);
        // Another process was quicker: all go on with the one response that is kept.
        return added ? response : _store.Find(call.Key) ?? response;
    }

    private async Task<ChatResponse> ReuseAsync(Call call, ChatResponse known)
    {
        await _store.AddUseAsync(call.Key, call.Use).ConfigureAwait(false);
        Interlocked.Increment(ref _reused);
        return known;
    }

    private async Task NoteFailureAsync(Call call, Exception problem)
    {
        try
        {
            await _store.AddFailureAsync(call.Key, call.Use, call.Details.SampleIndex, _model, $"{problem.GetType().Name}: {problem.Message}").ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The caller shall hear why the call failed, not that the list of failures could not be written.
        }
    }

    private static string? NameOf(IChatClient client) => client.GetService(typeof(ChatClientMetadata)) is ChatClientMetadata { DefaultModelId: { Length: > 0 } model } metadata
        ? $"{metadata.ProviderName}:{model}{(metadata.ProviderUri is { } uri ? $"@{uri}" : "")}" : null;

    private sealed record Call(ResponseKey Key, CanonicalRequest Request, CallDetails Details, ResponseUse Use);
}

/// <summary>Puts a store before clients.</summary>
public static class ResponseStoreExtensions
{
    /// <summary>The client with a store before it: <see cref="ResponseStoreClient"/>.</summary>
    /// <exception cref="ArgumentException">The store is read-only, or the model has no name.</exception>
    public static ResponseStoreClient UseResponseStore(this IChatClient client, ResponseStore store, StoreContext context) => new(client, store, context);
}
