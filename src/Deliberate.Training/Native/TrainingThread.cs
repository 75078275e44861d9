using System.Collections.Concurrent;

namespace Deliberate.Training.Native;

/// <summary>
/// A thread that does one piece of work after the other. glibc keeps what is freed for the thread that took it, so that steps of training, each on another
/// thread, would in the end hold the memory of a step many times over. Threads are lent: trainings that follow each other have the same one, those that run at the
/// same time have one each.
/// </summary>
internal sealed class TrainingThread
{
    private static readonly ConcurrentStack<TrainingThread> Idle = [];

    private readonly BlockingCollection<Action> _work = [];

    private TrainingThread() => new Thread(() =>
    {
        foreach (var work in _work.GetConsumingEnumerable()) work();
    })
    { IsBackground = true, Name = "training" }.Start();

    /// <summary>Until it is disposed, a thread of one's own.</summary>
    public static Lease Rent() => new(Idle.TryPop(out var idle) ? idle : new());

    private T Run<T>(Func<T> work)
    {
        var task = new Task<T>(work);
        _work.Add(() => task.RunSynchronously(TaskScheduler.Default));
        return task.GetAwaiter().GetResult();
    }

    internal sealed class Lease(TrainingThread thread) : IDisposable
    {
        private TrainingThread? _thread = thread;

        /// <summary>Does the work there and waits for it; what it throws is thrown here.</summary>
        public T Run<T>(Func<T> work) => (_thread ?? throw new ObjectDisposedException(nameof(TrainingThread))).Run(work);

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _thread, null) is not { } lent) return;
            Idle.Push(lent);
            TorchLibrary.Trim();
        }
    }
}
