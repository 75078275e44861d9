using Deliberate.Pipeline;

namespace Deliberate.Cli.Interaction;

/// <summary>Progress as lines of a log: when a stage begins, every few seconds, and when it is done.</summary>
internal sealed class PlainProgress(TextWriter writer, TimeProvider time) : ProgressView
{
    /// <summary>Time between two lines of one stage.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly StageMeter _meter = new(time);
    private readonly Lock _lock = new();
    private readonly Dictionary<(string, string?), long> _written = [];

    /// <inheritdoc/>
    public override void Report(StageProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_lock)
        {
            var status = _meter.Take(value);
            var key = (value.Stage, value.Arm);
            if (!status.Started && !status.Finished && time.GetElapsedTime(_written[key]) < Pause) return;
            _written[key] = time.GetTimestamp();
            writer.WriteLine(ProgressText.Line(status));
        }
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
