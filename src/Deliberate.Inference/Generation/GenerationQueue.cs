namespace Deliberate.Inference.Generation;

/// <summary>
/// Requests that arrive at any time: one line for all workers of a generator, each of which takes from it between two passes as it has room. A thread a
/// worker serves them and sleeps while there are none.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class GenerationQueue(Turns turns, Func<int, Worker> workerOf, int workers, int maxWaiting) : IDisposable
{
    private readonly object _gate = new();
    private readonly LinkedList<QueuedRequest> _line = [];
    private Thread[] _threads = [];
    private int _running;
    private volatile bool _closed;

    /// <summary>Whether the generator is gone, so that what is in work must end.</summary>
    public bool Closed => _closed;

    /// <summary>Puts a request at the end of the line.</summary>
    /// <exception cref="QueueFullException">Too many wait.</exception>
    /// <exception cref="ObjectDisposedException">The generator is disposed.</exception>
    public Task<GenerationResult> SubmitAsync(GenerationRequest request, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested) return Task.FromCanceled<GenerationResult>(cancel);
        var queued = new QueuedRequest(request, cancel);
        queued.Watch(Leave);
        try
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_closed, typeof(Generator));
                if (_line.Count >= maxWaiting) throw new QueueFullException(_line.Count);
                if (_threads.Length == 0)
                {
                    _threads = [.. Enumerable.Range(0, workers).Select(number => new Thread(() => Serve(number)) { IsBackground = true, Name = "generation" })];
                    foreach (var thread in _threads) thread.Start();
                }

                _line.AddLast(queued.Place);
                Monitor.Pulse(_gate);
            }
        }
        catch
        {
            queued.Unwatch();
            throw;
        }

        if (queued.Cancelled) Leave(queued); // it may have been before it stood in line
        return queued.Result;
    }

    /// <summary>The request that has waited longest; null where none waits, this worker has its share, or another call wants its turn.</summary>
    /// <param name="own">How many the worker has.</param>
    public QueuedRequest? Take(int own)
    {
        if (turns.Wanted) return null;
        lock (_gate)
        {
            if (_line.First is not { } first || own >= (_running + _line.Count + workers - 1) / workers) return null;
            _line.RemoveFirst();
            _running++;
            if (_line.Count > 0) Monitor.Pulse(_gate); // another worker may be asleep
            return first.Value;
        }
    }

    /// <summary>A request that was taken has ended.</summary>
    public void Done()
    {
        lock (_gate) _running--;
    }

    /// <summary>Ends all requests, whose callers get an <see cref="ObjectDisposedException"/>; returns when no worker is at work.</summary>
    public void Dispose()
    {
        QueuedRequest[] left;
        lock (_gate)
        {
            _closed = true;
            left = [.. _line];
            _line.Clear();
            Monitor.PulseAll(_gate);
        }

        foreach (var queued in left) queued.Fail(Gone());
        foreach (var thread in _threads) thread.Join();
    }

    /// <summary>What callers get whose requests a disposed generator has left.</summary>
    public static ObjectDisposedException Gone() => new(nameof(Generator), "The generator was disposed before the request was finished.");

    // Whoever waits has a place in the line only: it leaves at once. Those in work are seen between two passes.
    private void Leave(QueuedRequest queued)
    {
        lock (_gate)
        {
            if (queued.Place.List is null) return;
            _line.Remove(queued.Place);
        }

        queued.FinishCancelled(OpenBatch.Nothing(GenerationEnd.Cancelled));
    }

    private void Serve(int number)
    {
        while (Wait())
        {
            turns.Enter(alone: false);
            try
            {
                new OpenBatch(workerOf(number), this).Run();
            }
            finally
            {
                turns.Exit();
            }
        }
    }

    private bool Wait()
    {
        lock (_gate)
        {
            while (_line.Count == 0 && !_closed) Monitor.Wait(_gate);
            return !_closed;
        }
    }
}
