using Deliberate.Pipeline;

namespace Deliberate.Cli.Interaction;

/// <summary>Where one stage of one arm stands, with its pace.</summary>
/// <param name="Progress">The latest report.</param>
/// <param name="Elapsed">Time it has worked.</param>
/// <param name="Rate">Units a second since its first report; null when that cannot be said yet.</param>
/// <param name="Left">Time left at that rate; null when that cannot be said yet.</param>
/// <param name="Started">Whether this is its first report.</param>
/// <param name="Finished">Whether it has just been done.</param>
internal sealed record StageStatus(StageProgress Progress, TimeSpan Elapsed, double? Rate, TimeSpan? Left, bool Started, bool Finished);

/// <summary>Follows the reports of a run and works out rates and times left. Thread-safe.</summary>
internal sealed class StageMeter(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Stage, string? Arm), Mark> _open = [];
    private long _last = time.GetTimestamp();

    private sealed record Mark(long Began, long FirstAt, int FirstDone);

    /// <summary>Takes in a report.</summary>
    public StageStatus Take(StageProgress progress)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            var key = (progress.Stage, progress.Arm);
            var started = !_open.TryGetValue(key, out var mark);
            // A stage began when the one before it last spoke; its pace counts from its own first report, because work that
            // was taken from an earlier run is done at once.
            mark ??= _open[key] = new(_last, now, progress.Done);
            _last = now;
            var finished = progress.Done >= progress.Total;
            if (finished) _open.Remove(key);
            return Status(progress, mark, now, started, finished);
        }
    }

    /// <summary>The same report some time later: the elapsed time has grown, and so the time left has shrunk.</summary>
    public StageStatus Refresh(StageStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        lock (_lock)
        {
            return _open.TryGetValue((status.Progress.Stage, status.Progress.Arm), out var mark)
                ? status with { Elapsed = time.GetElapsedTime(mark.Began, time.GetTimestamp()) }
                : status;
        }
    }

    private StageStatus Status(StageProgress progress, Mark mark, long now, bool started, bool finished)
    {
        var seconds = time.GetElapsedTime(mark.FirstAt, now).TotalSeconds;
        double? rate = progress.Done > mark.FirstDone && seconds > 0 ? (progress.Done - mark.FirstDone) / seconds : null;
        TimeSpan? left = rate is { } pace && !finished ? TimeSpan.FromSeconds((progress.Total - progress.Done) / pace) : null;
        return new(progress, time.GetElapsedTime(mark.Began, now), rate, left, started, finished);
    }
}
