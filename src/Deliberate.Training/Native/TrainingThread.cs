using System.Collections.Concurrent;

namespace Deliberate.Training.Native;

/// <summary>
/// A thread that does one piece of work after the other. glibc keeps what is freed for the thread that took it, so that steps of one training, each on another
/// thread, would in the end hold the memory of a step many times over.
/// </summary>
internal sealed class TrainingThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    public TrainingThread()
    {
        _thread = new(() =>
        {
            foreach (var work in _work.GetConsumingEnumerable()) work();
        })
        { IsBackground = true, Name = "training" };
        _thread.Start();
    }

    /// <summary>Does the work there and waits for it; what it throws is thrown here.</summary>
    public T Run<T>(Func<T> work)
    {
        var task = new Task<T>(work);
        _work.Add(() => task.RunSynchronously(TaskScheduler.Default));
        return task.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }
}
