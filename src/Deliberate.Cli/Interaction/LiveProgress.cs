using System.Collections.Concurrent;
using Deliberate.Pipeline;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Deliberate.Cli.Interaction;

/// <summary>Progress on a terminal: finished stages scroll up as lines, those at work show a bar, their pace and their figures.</summary>
internal sealed class LiveProgress : ProgressView
{
    private const int BarWidth = 20;
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(150);

    private readonly TimeProvider _time;
    private readonly StageMeter _meter;
    private readonly long _began;
    private readonly ConcurrentQueue<StageStatus> _finished = new();
    private readonly ConcurrentDictionary<(string, string?), StageStatus> _working = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _display;

    /// <summary>Starts to draw on this console.</summary>
    public LiveProgress(IAnsiConsole console, TimeProvider time)
    {
        (_time, _meter, _began) = (time, new(time), time.GetTimestamp());
        _display = console.Live(Text.Empty).AutoClear(true).StartAsync(async context =>
        {
            while (!_end.IsCancellationRequested)
            {
                Draw(console, context);
                await Task.Delay(Beat, time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            Draw(console, context);
        });
    }

    /// <inheritdoc/>
    public override void Report(StageProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var status = _meter.Take(value);
        if (!status.Finished)
        {
            _working[(value.Stage, value.Arm)] = status;
            return;
        }

        _working.TryRemove((value.Stage, value.Arm), out _);
        _finished.Enqueue(status);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _display;
        _end.Dispose();
    }

    // Only the display's own task draws, so lines and the live part never mix.
    private void Draw(IAnsiConsole console, LiveDisplayContext context)
    {
        // A line that is written pushes the live part down and draws it again, so that must be up to date before.
        context.UpdateTarget(Live());
        while (_finished.TryDequeue(out var status))
            console.MarkupLine($"[green]✓[/] {Markup.Escape($"{ProgressText.Name(status.Progress),-22}")} [grey]{Markup.Escape(ProgressText.Done(status))}[/]");
    }

    private Rows Live() => new(_working.Values.OrderBy(status => status.Elapsed).Reverse().Select(_meter.Refresh).Select(Row)
        .Append(new Markup($"[grey]{Figures.Duration(_time.GetElapsedTime(_began))} in all[/]")));

    private static IRenderable Row(StageStatus status)
    {
        var p = status.Progress;
        var full = p.Total <= 0 ? 0 : Math.Clamp((int)((long)BarWidth * p.Done / p.Total), 0, BarWidth);
        return new Markup($"[blue]{Markup.Escape($"{ProgressText.Name(p),-24}")}[/] [blue]{new string('━', full)}[/][grey]{new string('━', BarWidth - full)}[/] {Markup.Escape(ProgressText.Going(status))}");
    }
}
