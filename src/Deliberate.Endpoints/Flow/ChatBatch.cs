using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Flow;

/// <summary>A call to make.</summary>
/// <param name="Id">Its name among the others.</param>
/// <param name="Messages">The conversation.</param>
/// <param name="Options">How it is answered; null takes the client's own way.</param>
public sealed record ChatCall(string Id, IReadOnlyList<ChatMessage> Messages, ChatOptions? Options = null);

/// <summary>A call that was given up.</summary>
/// <param name="Id">The call's name.</param>
/// <param name="Reason">Why.</param>
/// <param name="Message">Where, what and how to mend it, in one line.</param>
public sealed record CallFailure(string Id, FailureReason Reason, string Message);

/// <summary>Why a batch ended.</summary>
public enum BatchEnd
{
    /// <summary>Every call was made.</summary>
    Complete,

    /// <summary>Its caller stopped or cancelled it.</summary>
    Stopped,

    /// <summary>The budget was reached.</summary>
    BudgetReached,

    /// <summary>The server refuses every call: the key, or the credit.</summary>
    Refused,
}

/// <summary>What became of a batch.</summary>
/// <param name="End">Why it ended.</param>
/// <param name="Succeeded">Calls whose reply was kept.</param>
/// <param name="Failures">Calls that were given up, in the order in which they were. Calls that were never made, or were cancelled, are not among them.</param>
public sealed record BatchResult(BatchEnd End, int Succeeded, IReadOnlyList<CallFailure> Failures);

/// <summary>Makes many calls at once. One that fails does not end the others, and whatever a reply was paid for is kept.</summary>
public static class ChatBatch
{
    /// <summary>Makes the calls in their order and hands each reply over as it comes.</summary>
    /// <param name="client">The client, usually with <see cref="FlowControlChatClient"/> in it, which limits how many calls are in flight.</param>
    /// <param name="calls">The calls; they are read as they are needed.</param>
    /// <param name="keep">Keeps a reply; called from several threads. If it throws, no more calls are started and its exception is thrown.</param>
    /// <param name="concurrency">Calls that are started at a time.</param>
    /// <param name="stop">Starts no more calls, and lets those in flight come to their end: what is being paid for is kept.</param>
    /// <param name="cancellationToken">Starts no more calls and drops those in flight. Replies that have come are kept all the same.</param>
    /// <returns>What became of it; cancelling is an end like others and throws nothing.</returns>
    public static async Task<BatchResult> RunAsync(
        IChatClient client, IEnumerable<ChatCall> calls, Func<ChatCall, ChatResponse, ValueTask> keep, int concurrency = 64, CancellationToken stop = default, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(calls);
        ArgumentNullException.ThrowIfNull(keep);
        ArgumentOutOfRangeException.ThrowIfLessThan(concurrency, 1);
        using var source = calls.GetEnumerator();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop, cancellationToken);
        var (reading, failures, succeeded, end) = (new Lock(), new List<CallFailure>(), 0, BatchEnd.Complete);
        Exception? broken = null;

        async Task WorkAsync()
        {
            // Not on the caller's thread: a client may answer at once, and the calls before the first wait would be made one after the other.
            await Task.Yield();
            while (Next() is { } call)
            {
                try
                {
                    var response = await client.GetResponseAsync(call.Messages, call.Options, cancellationToken).ConfigureAwait(false);
                    await keep(call, response).ConfigureAwait(false);
                    Interlocked.Increment(ref succeeded);
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    lock (reading) end = BatchEnd.Stopped;
                }
                catch (EndpointException e)
                {
                    Fail(call, e);
                }
#pragma warning disable CA1031 // thrown when the calls in flight have come to their end
                catch (Exception e)
                {
                    lock (reading) broken ??= e;
                }
#pragma warning restore CA1031
            }
        }

        ChatCall? Next()
        {
            lock (reading)
            {
                if (broken is not null || end != BatchEnd.Complete) return null;
                try
                {
                    if (!source.MoveNext()) return null;
                }
#pragma warning disable CA1031 // thrown when the calls in flight have come to their end
                catch (Exception e)
                {
                    broken = e;
                    return null;
                }
#pragma warning restore CA1031
                if (!over.IsCancellationRequested) return source.Current;
                end = BatchEnd.Stopped;
                return null;
            }
        }

        void Fail(ChatCall call, EndpointException e)
        {
            lock (reading)
            {
                if (e.Reason == FailureReason.BudgetReached) end = BatchEnd.BudgetReached;
                else failures.Add(new(call.Id, e.Reason, e.Message));
                if (e.Reason is FailureReason.RefusedKey or FailureReason.OutOfCredit) end = BatchEnd.Refused;
            }
        }

        await Task.WhenAll(Enumerable.Range(0, concurrency).Select(_ => WorkAsync())).ConfigureAwait(false);
        if (broken is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(broken);
        return new(end, succeeded, failures);
    }
}
