using System.Diagnostics;
using Deliberate.Reports;
using Deliberate.Runs;

namespace Deliberate.Pipeline;

/// <summary>
/// Times stages and remembers their times with their results, so that a run that was interrupted reports what it took in all.
/// </summary>
internal sealed class StageClock(StageStore store, string runKey)
{
    private readonly List<ReportStage> _stages = [];

    /// <summary>The stages so far, in the order in which they were asked for.</summary>
    public IReadOnlyList<ReportStage> Stages => _stages;

    /// <summary>Runs a stage, or takes its result from <paramref name="load"/> when it was finished earlier.</summary>
    public async Task<T> RunAsync<T>(string name, string? arm, Func<T?> load, Func<Task<T>> make, Func<T, int> items)
        where T : class
    {
        var timing = $"timing-{name}" + (arm is null ? "" : $"-{arm}");
        if (load() is { } done)
        {
            if (store.TryLoad<ReportStage>(timing, runKey, out var earlier)) Add(earlier);
            return done;
        }

        // A stage that keeps single pieces is gone through again, which takes no time: what it took at first counts.
        var finished = store.TryLoad<ReportStage>(timing, runKey, out var before);
        var clock = Stopwatch.StartNew();
        var result = await make().ConfigureAwait(false);
        if (finished)
        {
            Add(before!);
            return result;
        }

        var seconds = clock.Elapsed.TotalSeconds;
        // A stage leaves large buffers behind; the next one makes its own.
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var stage = new ReportStage(name, arm, Math.Round(seconds, 3), items(result), Math.Round(items(result) / Math.Max(seconds, 1e-9), 2));
        store.Save(timing, runKey, stage);
        Add(stage);
        return result;
    }

    private void Add(ReportStage stage)
    {
        _stages.RemoveAll(other => other.Name == stage.Name && other.Arm == stage.Arm);
        _stages.Add(stage);
    }
}
