using System.Runtime.CompilerServices;

namespace Deliberate.Pipeline.Data;

/// <summary>Work on a stream of items, many at once, with results in the order of the items. What is held does not grow with the stream.</summary>
internal static class OrderedStream
{
    /// <summary>Does the work.</summary>
    /// <param name="items">The items; they are taken as they are needed.</param>
    /// <param name="window">Most items in work or waiting for an earlier one.</param>
    /// <param name="work">The work on one item. If it throws, no more items are taken, those in work come to their end, and the exception is thrown.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public static async IAsyncEnumerable<TResult> RunAsync<TItem, TResult>(
        IEnumerable<TItem> items, int window, Func<TItem, CancellationToken, Task<TResult>> work, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var running = new Queue<Task<TResult>>();
        try
        {
            foreach (var item in items)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (running.Count == window) yield return await running.Dequeue().ConfigureAwait(false);
                running.Enqueue(Task.Run(() => work(item, cancellationToken), cancellationToken));
            }

            while (running.Count > 0) yield return await running.Dequeue().ConfigureAwait(false);
        }
        finally
        {
            // Nothing goes on behind the caller's back, and what is being paid for is kept.
            await ((Task)Task.WhenAll(running)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
