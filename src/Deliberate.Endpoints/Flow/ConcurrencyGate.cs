namespace Deliberate.Endpoints.Flow;

/// <summary>
/// Lets so many calls in at a time, first come, first served. When the server has too much to do the number is halved, at most once for
/// the calls that were in flight then; while calls succeed it grows by one for each round of them. Thread-safe.
/// </summary>
internal sealed class ConcurrencyGate(int most, bool adaptive)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource<int>> _waiting = [];
    private double _limit = most;
    private int _inside;
    private int _cuts;

    /// <summary>How many may be in flight now.</summary>
    public int Limit
    {
        get
        {
            lock (_lock) return (int)_limit;
        }
    }

    /// <summary>How many are in flight.</summary>
    public int Inside
    {
        get
        {
            lock (_lock) return _inside;
        }
    }

    /// <summary>How many wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock) return _waiting.Count;
        }
    }

    /// <summary>Waits for a place.</summary>
    /// <returns>The ticket to give back with <see cref="Exit"/>.</returns>
    public async Task<int> EnterAsync(CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource<int>> place;
        lock (_lock)
        {
            if (_waiting.Count == 0 && _inside < (int)_limit)
            {
                _inside++;
                return _cuts;
            }

            place = _waiting.AddLast(new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        await using var registration = cancellationToken.Register(() =>
        {
            lock (_lock)
            {
                if (place.List is null) return; // it has been let in
                _waiting.Remove(place);
            }

            place.Value.TrySetCanceled(cancellationToken);
        }).ConfigureAwait(false);
        return await place.Value.Task.ConfigureAwait(false);
    }

    /// <summary>Gives a place back.</summary>
    /// <param name="ticket">What <see cref="EnterAsync"/> returned.</param>
    /// <param name="outcome">True when the call succeeded, false when the server had too much to do, null for anything else.</param>
    public void Exit(int ticket, bool? outcome)
    {
        lock (_lock)
        {
            _inside--;
            if (adaptive && outcome == true) _limit = Math.Min(most, _limit + (1 / _limit));
            if (adaptive && outcome == false && ticket == _cuts)
            {
                _limit = Math.Max(1, _limit / 2);
                _cuts++;
            }

            while (_waiting.First is { } first && _inside < (int)_limit)
            {
                _waiting.RemoveFirst();
                _inside++;
                first.Value.SetResult(_cuts);
            }
        }
    }
}
