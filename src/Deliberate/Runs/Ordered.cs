namespace Deliberate.Runs;

/// <summary>Does many pieces of work at once and returns their results in the order of the pieces.</summary>
internal static class Ordered
{
    /// <summary>Runs <paramref name="work"/> for 0…count-1. The first failure stops the rest and is thrown; progress reports how many are done.</summary>
    public static async Task<T[]> RunAsync<T>(
        int count, int concurrency, Func<int, CancellationToken, Task<T>> work, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var results = new T[count];
        var done = 0;
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, count, options, async (index, token) =>
        {
            results[index] = await work(index, token).ConfigureAwait(false);
            progress?.Report(Interlocked.Increment(ref done));
        }).ConfigureAwait(false);
        return results;
    }

    /// <summary>Checks that no two pieces have one name: they would be taken for each other after a restart.</summary>
    /// <exception cref="ArgumentException">Two have.</exception>
    public static void RequireUnique(IEnumerable<string> ids)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var id in ids)
            if (!seen.Add(id)) throw new ArgumentException($"Two items have the id '{id}': give each its own.", nameof(ids));
    }
}
