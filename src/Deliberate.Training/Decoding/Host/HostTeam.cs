using System.Runtime.ExceptionServices;

namespace Deliberate.Training.Decoding.Host;

/// <summary>Some threads that do one piece of work together, again and again; the caller's thread is the first of them.</summary>
internal sealed class HostTeam : IDisposable
{
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _starts;
    private readonly SemaphoreSlim _done = new(0);
    private Action<int>? _work;
    private Exception? _failure;

    /// <summary>Starts <paramref name="count"/> - 1 threads.</summary>
    public HostTeam(int count)
    {
        Count = count;
        _starts = [.. Enumerable.Range(1, count - 1).Select(_ => new SemaphoreSlim(0))];
        _threads = [.. Enumerable.Range(1, count - 1).Select(i => new Thread(() => Serve(i)) { IsBackground = true, Name = $"training {i}" })];
        foreach (var thread in _threads) thread.Start();
    }

    /// <summary>Number of threads.</summary>
    public int Count { get; }

    /// <summary>Does the work once on every thread, which is told its number; returns when all have finished.</summary>
    public void Run(Action<int> work)
    {
        _work = work;
        foreach (var start in _starts) start.Release();
        Do(0);
        foreach (var _ in _threads) _done.Wait();
        if (Interlocked.Exchange(ref _failure, null) is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _work = null;
        foreach (var start in _starts) start.Release();
        foreach (var thread in _threads) thread.Join();
        foreach (var start in _starts) start.Dispose();
        _done.Dispose();
    }

    private void Serve(int index)
    {
        while (true)
        {
            _starts[index - 1].Wait();
            if (_work is null) return;
            Do(index);
            _done.Release();
        }
    }

    private void Do(int index)
    {
        try
        {
            _work!(index);
        }
#pragma warning disable CA1031 // Whatever it was, the caller gets it.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failure = failure;
        }
    }
}
