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
    private readonly LinkedList<Entry> _used = [];

    /// <summary>Values and counts of failures that are kept.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _used.Count;
        }
    }

    /// <summary>The value of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="state">Goes to <paramref name="make"/>.</param>
    /// <param name="make">Makes the value; gets how often it was made in vain.</param>
    public (Task<T> Value, CacheUse Use) Get<TState>(ContentKey key, TState state, Func<TState, int, Task<T>> make)
    {
        Entry? entry;
        TaskCompletionSource<T> flight;
        int failures;
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out entry)) _entries.Add(key, entry = new(key));
            if (entry.Value is { } value)
            {
                if (entry.Running) return (value, CacheUse.Joined);
                _used.Remove(entry.Place);
                _used.AddLast(entry.Place);
                return (value, CacheUse.Kept);
            }

            flight = new(TaskCreationOptions.RunContinuationsAsynchronously);
            (entry.Value, entry.Running, failures) = (flight.Task, true, entry.Failures);
        }

        _ = FlyAsync(entry, flight, state, failures, make);
        return (flight.Task, CacheUse.Made);
    }

    /// <summary>Keeps a value that came too late for those who asked, unless there is another by now.</summary>
    public void Put(ContentKey key, T value)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var entry)) _entries.Add(key, entry = new(key));
            if (entry.Value is not null) return;
            entry.Value = Task.FromResult(value);
            Keep(entry);
        }
    }

    private async Task FlyAsync<TState>(Entry entry, TaskCompletionSource<T> flight, TState state, int failures, Func<TState, int, Task<T>> make)
    {
        try
        {
            var value = await make(state, failures).ConfigureAwait(false);
            lock (_lock)
            {
                entry.Running = false;
                if (!keep(value)) (entry.Value, entry.Failures) = (null, entry.Failures + 1);
                Keep(entry);
            }

            flight.SetResult(value);
        }
        catch (Exception problem)
        {
            lock (_lock)
            {
                (entry.Value, entry.Running) = (null, false);
                Keep(entry);
            }

            flight.SetException(problem);
        }
    }

    private void Keep(Entry entry)
    {
        if (entry.Place.List is not null) _used.Remove(entry.Place);
        _used.AddLast(entry.Place);
        while (_used.Count > capacity)
        {
            var oldest = _used.First!.Value;
            _used.RemoveFirst();
            // One that is being made again is found through the index until it is done.
            if (!oldest.Running) _entries.Remove(oldest.Key);
        }
    }

    private sealed class Entry
    {
        public Entry(ContentKey key) => (Key, Place) = (key, new(this));

        public ContentKey Key { get; }

        public LinkedListNode<Entry> Place { get; }

        public Task<T>? Value { get; set; }

        public bool Running { get; set; }

        public int Failures { get; set; }
    }
}
