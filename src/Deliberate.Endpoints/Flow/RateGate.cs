namespace Deliberate.Endpoints.Flow;

/// <summary>
/// Spaces requests out, so that no minute holds more requests or tokens than allowed, and none is sent while the server has asked to wait.
/// First come, first served. Thread-safe.
/// </summary>
internal sealed class RateGate(int? requests, long? tokens, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Queue<Entry> _sent = new();
    private long _tokens;
    private long _notBefore = long.MinValue;

    /// <summary>A request that was let through.</summary>
    public sealed class Entry
    {
        internal long At { get; init; }

        internal long Tokens { get; set; }

        internal bool Counted { get; set; } = true;
    }

    /// <summary>Waits until a request may be sent, and counts it.</summary>
    /// <param name="estimate">Tokens that it may take. One that takes more than a minute's allowance alone goes when the minute before it is empty.</param>
    /// <param name="cancellationToken">Stops the wait; the request is not counted then.</param>
    public async Task<Entry> EnterAsync(long estimate, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                TimeSpan wait;
                lock (_lock)
                {
                    var now = time.GetTimestamp();
                    wait = Wait(now, estimate);
                    if (wait <= TimeSpan.Zero)
                    {
                        var entry = new Entry { At = now, Tokens = estimate, Counted = requests is not null || tokens is not null };
                        if (!entry.Counted) return entry;
                        _sent.Enqueue(entry);
                        _tokens += estimate;
                        return entry;
                    }
                }

                // A little more than needed, so that rounding does not end the wait just before its time.
                await Task.Delay(wait + TimeSpan.FromMilliseconds(1), time, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Says what a request has really taken.</summary>
    public void Settle(Entry entry, long taken)
    {
        lock (_lock)
        {
            if (entry.Counted) _tokens += taken - entry.Tokens;
            entry.Tokens = taken;
        }
    }

    /// <summary>Lets nothing through for a while.</summary>
    public void Pause(TimeSpan wait)
    {
        lock (_lock) _notBefore = Math.Max(_notBefore, time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency));
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private TimeSpan Wait(long now, long estimate)
    {
        while (_sent.TryPeek(out var old) && time.GetElapsedTime(old.At, now) >= Window)
        {
            _sent.Dequeue();
            old.Counted = false;
            _tokens -= old.Tokens;
        }

        var wait = _notBefore > now ? time.GetElapsedTime(now, _notBefore) : TimeSpan.Zero;
        if (_sent.Count == 0) return wait;
        var full = (requests is { } most && _sent.Count >= most) || (tokens is { } allowed && _tokens + estimate > allowed);
        if (!full) return wait;
        var next = Window - time.GetElapsedTime(_sent.Peek().At, now);
        return next > wait ? next : wait;
    }
}
