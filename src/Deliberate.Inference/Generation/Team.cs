namespace Deliberate.Inference.Generation;

/// <summary>
/// Threads that go through one piece of work together. The work is a row of phases, each of some numbered parts that any thread
/// may take; a phase is over when its parts are done, whoever did them. So a thread that another process keeps from running holds up
/// the others by the part it has in hand at most, and finds nothing left to do in what it missed. Work outside of parts
/// must write nothing that others read.
/// </summary>
/// <remarks>One call at a time. A team of one has no threads and costs nothing.</remarks>
internal sealed class Team : IDisposable
{
    private const int Spins = 2_000, Yields = 100;

    private readonly Member[] _members;
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _wake = new(0);
    private volatile Call? _call;
    private volatile Exception? _failure;
    private long _state; // the phase in the upper half, the next part in the lower one
    private int _done, _sleeping;
    private volatile bool _disposed;

    /// <summary>One thread's place in the work.</summary>
    public sealed class Member(int number)
    {
        /// <summary>0 is the calling thread.</summary>
        public int Number => number;

        internal int Phase { get; set; }

        internal int Next { get; set; }

        internal bool HasPart { get; set; }
    }

    private sealed record Call(Action<Member> Work, int FirstPhase);

    public Team(int size)
    {
        _members = [.. Enumerable.Range(0, size).Select(number => new Member(number))];
        _threads = [.. _members.Skip(1).Select(member => new Thread(() => Loop(member)) { IsBackground = true, Name = "generation" })];
        foreach (var thread in _threads) thread.Start();
    }

    public int Size => _members.Length;

    /// <summary>Runs the work on all threads; every one of its phases is over when it returns.</summary>
    /// <exception cref="InvalidOperationException">It failed on one of them; the team is of no more use.</exception>
    public void Run(Action<Member> work)
    {
        if (Size == 1)
        {
            work(_members[0]);
            return;
        }

        if (_failure is null)
        {
            _call = new(work, (int)(Volatile.Read(ref _state) >> 32));
            Interlocked.MemoryBarrier();
            if (Volatile.Read(ref _sleeping) is > 0 and var sleeping) _wake.Release(sleeping);
            Guarded(_members[0], _call);
        }

        if (_failure is { } failure) throw new InvalidOperationException($"Generation failed: {failure.Message}", failure);
    }

    /// <summary>The next part of this thread's phase, or one that is not below <paramref name="parts"/> where none is left; the one before is done with this.</summary>
    public int Take(Member member, int parts)
    {
        if (Size == 1) return member.Next++;
        if (member.HasPart)
        {
            member.HasPart = false;
            if (Interlocked.Increment(ref _done) == parts)
            {
                _done = 0;
                Volatile.Write(ref _state, (long)(member.Phase + 1) << 32);
            }
        }

        while (true)
        {
            var state = Volatile.Read(ref _state);
            if ((int)(state >> 32) != member.Phase || (int)state >= parts) return parts;
            if (Interlocked.CompareExchange(ref _state, state + 1, state) != state) continue;
            member.HasPart = true;
            return (int)state;
        }
    }

    /// <summary>Waits until all parts of this phase are done, of which there was at least one.</summary>
    public void Sync(Member member)
    {
        member.Next = 0;
        if (Size == 1) return;
        for (var spins = 0; (int)(Volatile.Read(ref _state) >> 32) == member.Phase; Pause(ref spins))
            if (_failure is not null) throw new OperationCanceledException("Another thread failed.");
        member.Phase++;
    }

    public void Dispose()
    {
        _disposed = true;
        _wake.Release(Size);
        foreach (var thread in _threads) thread.Join();
        _wake.Dispose();
    }

    private static void Pause(ref int spins)
    {
        if (++spins < Spins) Thread.SpinWait(4);
        else Thread.Yield();
    }

    private void Loop(Member member)
    {
        for (Call? seen = null; ;)
        {
            for (var spins = 0; _call == seen && !_disposed;)
            {
                if (spins < Spins + Yields) Pause(ref spins);
                else Sleep(seen);
            }

            if (_disposed) return;
            seen = _call!;
            Guarded(member, seen);
        }
    }

    private void Sleep(Call? seen)
    {
        Interlocked.Increment(ref _sleeping);
        // A call that came in between saw no sleeper and will not wake one.
        if (_call == seen && !_disposed) _wake.Wait();
        Interlocked.Decrement(ref _sleeping);
    }

    private void Guarded(Member member, Call call)
    {
        try
        {
            (member.Phase, member.HasPart) = (call.FirstPhase, false);
            call.Work(member);
        }
#pragma warning disable CA1031 // a thread's failure is rethrown by the caller's
        catch (Exception e)
        {
            _failure ??= e;
        }
#pragma warning restore CA1031
    }
}
