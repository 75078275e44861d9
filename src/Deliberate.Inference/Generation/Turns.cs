namespace Deliberate.Inference.Generation;

/// <summary>
/// Who may use the weights and the workers: any number of workers that serve open requests, or one call that wants all of it alone. First come, first
/// served, so that neither kind keeps the other out.
/// </summary>
internal sealed class Turns
{
    private readonly object _gate = new();
    private readonly LinkedList<bool> _line = []; // true: wants it alone
    private int _inside; // -1: one that has it alone
    private volatile int _alone;

    /// <summary>Whether somebody waits to have it alone: those inside should take nothing new.</summary>
    public bool Wanted => _alone > 0;

    /// <summary>Waits for a turn; <see cref="Exit"/> ends it.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled before the turn came.</exception>
    public void Enter(bool alone, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        using var wake = cancel.UnsafeRegister(static gate =>
        {
            lock (gate!) Monitor.PulseAll(gate);
        }, _gate);
        lock (_gate)
        {
            var place = _line.AddLast(alone);
            if (alone) _alone++;
            try
            {
                while (_line.First != place || (alone ? _inside != 0 : _inside < 0))
                {
                    cancel.ThrowIfCancellationRequested();
                    Monitor.Wait(_gate);
                }

                _inside = alone ? -1 : _inside + 1;
            }
            finally
            {
                _line.Remove(place);
                if (alone) _alone--;
                Monitor.PulseAll(_gate); // the next one may fit in too
            }
        }
    }

    /// <summary>Gives the turn back.</summary>
    public void Exit()
    {
        lock (_gate)
        {
            _inside = Math.Max(_inside, 1) - 1;
            Monitor.PulseAll(_gate);
        }
    }
}
