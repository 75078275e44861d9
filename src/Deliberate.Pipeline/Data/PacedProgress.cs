using System.Diagnostics;

namespace Deliberate.Pipeline.Data;

/// <summary>Passes on the first and the last report of a stage and a few a second between: at thousands of samples a second their words would cost more than the samples. Not thread-safe.</summary>
internal sealed class PacedProgress(IProgress<StageProgress>? listener, string stage, string? arm, int total, string unit, Func<string> detail)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private long _last;

    /// <summary>So many are done.</summary>
    public void Report(int done)
    {
        if (listener is null || (done > 1 && done < total && Stopwatch.GetElapsedTime(_last) < Pause)) return;
        _last = Stopwatch.GetTimestamp();
        listener.Report(new(stage, arm, done, total, unit, detail()));
    }
}
