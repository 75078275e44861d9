namespace Deliberate.Server.Rewards;

/// <summary>How a value was come by.</summary>
internal enum CacheUse
{
    /// <summary>It was made for this caller.</summary>
    Made,

    /// <summary>It was being made for another caller, who asked for the same.</summary>
    Joined,

    /// <summary>It had been kept.</summary>
    Kept,
}

/// <summary>
/// Keeps the values last used, and makes a value once however many ask for it at the same time. Values that are not worth keeping are handed to those who
/// wait and made again for the next one, who learns how often that happened. Thread-safe.
/// </summary>
/// <param name="capacity">Most values to keep.</param>
/// <param name="keep">Whether a value is worth keeping.</param>
internal sealed class FlightCache<T>(int capacity, Func<T, bool> keep)
    where T : class
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ContentKey, Entry> _entries = [];
    private readonly Entry _ends = Ring(); // before it the one used last, after it the one used longest ago
    private int _kept;

    /// <summary>Values and counts of failures that are kept.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _kept;
        }
    }

    /// <summary>The value of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="state">Goes to <paramref name="make"/>.</param>
    /// <param name="make">Makes the value; gets how often it was made in vain.</param>
    public (ValueTask<T> Value, CacheUse Use) Get<TState>(ContentKey key, TState state, Func<TState, int, Task<T>> make)
    {
        Entry? entry;
        TaskCompletionSource<T> flight;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out entry)) _entries.Add(key, entry = new(key));
            if (entry.Flight is { } running) return (new(running), CacheUse.Joined);
            if (entry.Value is { } value)
            {
                Keep(entry);
                return (new(value), CacheUse.Kept);
            }

            flight = new(TaskCreationOptions.RunContinuationsAsynchronously);
            entry.Flight = flight.Task;
        }

        _ = FlyAsync(entry, flight, state, make);
        return (new(flight.Task), CacheUse.Made);
    }

    /// <summary>Keeps a value that came too late for those who asked, unless there is another by now.</summary>
    public void Put(ContentKey key, T value)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var entry)) _entries.Add(key, entry = new(key));
            if (entry.Value is not null || entry.Flight is not null) return;
            entry.Value = value;
            Keep(entry);
        }
    }

    private async Task FlyAsync<TState>(Entry entry, TaskCompletionSource<T> flight, TState state, Func<TState, int, Task<T>> make)
    {
        try
        {
            var value = await make(state, entry.Failures).ConfigureAwait(false);
            lock (_lock)
            {
                entry.Flight = null;
                if (keep(value)) entry.Value = value;
                else entry.Failures++;
                Keep(entry);
            }

            flight.SetResult(value);
        }
        catch (Exception problem)
        {
            lock (_lock)
            {
                entry.Flight = null;
                Keep(entry);
            }

            flight.SetException(problem);
        }
    }

    // As the one used last.
    private void Keep(Entry entry)
    {
        if (entry.After is not null) Remove(entry);
        (entry.Before, entry.After) = (_ends.Before, _ends);
        (_ends.Before!.After, _ends.Before) = (entry, entry);
        _kept++;
        while (_kept > capacity)
        {
            var oldest = _ends.After!;
            Remove(oldest);
            // One that is being made again is found through the index until it is done.
            if (oldest.Flight is null) _entries.Remove(oldest.Key);
        }
    }

    private void Remove(Entry entry)
    {
        (entry.Before!.After, entry.After!.Before) = (entry.After, entry.Before);
        (entry.Before, entry.After) = (null, null);
        _kept--;
    }

    private static Entry Ring()
    {
        var ends = new Entry(default);
        (ends.Before, ends.After) = (ends, ends);
        return ends;
    }

    // There are many and they live long: one object each, linked to its neighbours.
    private sealed class Entry(ContentKey key)
    {
        public ContentKey Key => key;

        public Entry? Before { get; set; }

        public Entry? After { get; set; }

        public T? Value { get; set; }

        public Task<T>? Flight { get; set; }

        public int Failures { get; set; }
    }
}
