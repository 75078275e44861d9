using Deliberate.Pipeline;

namespace Deliberate.Cli.Interaction;

/// <summary>Shows a run's progress until it is disposed. Reports may come from any thread.</summary>
internal abstract class ProgressView : IProgress<StageProgress>, IAsyncDisposable
{
    /// <summary>A live display on a terminal, plain lines elsewhere.</summary>
    public static ProgressView Over(Terminal terminal)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        return terminal.NotesStyled ? new LiveProgress(terminal.NotesConsole(), TimeProvider.System) : new PlainProgress(terminal.Notes, TimeProvider.System);
    }

    /// <inheritdoc/>
    public abstract void Report(StageProgress value);

    /// <summary>Ends the display.</summary>
    public abstract ValueTask DisposeAsync();
}
