using System.Runtime.InteropServices;

namespace Deliberate.Cli.Interaction;

/// <summary>
/// Ctrl-C and requests to terminate: the first cancels <see cref="Token"/>, so that the work stops in good order; the second
/// ends the process at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _signals;
    private int _count;

    /// <summary>Listens from now on.</summary>
    public Interruption(Terminal terminal)
    {
        void Handle(PosixSignalContext context)
        {
            context.Cancel = First(terminal);
            // A live display hides the cursor, and dies with the process before it can bring it back.
            if (!context.Cancel && terminal.NotesStyled) terminal.Notes.Write("\e[?25h");
        }

        _signals = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];
    }

    /// <summary>Cancelled by the first interruption.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var signal in _signals) signal.Dispose();
        _source.Dispose();
    }

    private bool First(Terminal terminal)
    {
        if (Interlocked.Increment(ref _count) > 1) return false;
        terminal.Note("stopping; press Ctrl-C again to end at once.");
        _source.Cancel();
        return true;
    }
}
