namespace Deliberate.Inference.Generation;

/// <summary>A queued request in work.</summary>
internal sealed class OpenSequence(QueuedRequest queued, CachedRun run) : Sequence(queued.Request, run.Run)
{
    public QueuedRequest Queued => queued;

    public CachedRun Cached => run;
}

/// <summary>
/// A worker's batch of open requests. Before each pass it takes new ones from the queue; each leaves as soon as it is finished, cancelled or failed,
/// without the others noticing.
/// </summary>
internal sealed class OpenBatch(Worker worker, GenerationQueue queue)
{
    private readonly List<QueuedRequest> _arrived = []; // taken, but not begun
    private readonly List<OpenSequence> _active = [];

    /// <summary>The result of a request that could not begin.</summary>
    public static GenerationResult Nothing(GenerationEnd end) => new([], [], true) { End = end };

    /// <summary>Serves the queue until nothing is left to take and all that was taken has ended.</summary>
    public void Run()
    {
        Action<OpenSequence, int, float> take = Take;
        try
        {
            while (true)
            {
                while (_active.Count + _arrived.Count < worker.Slots && queue.Take(_active.Count + _arrived.Count) is { } next) _arrived.Add(next);
                Begin();
                if (_active.Count == 0) return;
                worker.Step(_active, take);
                for (var i = _active.Count - 1; i >= 0; i--)
                {
                    if (queue.Closed) Leave(_active[i]).Fail(GenerationQueue.Gone());
                    else if (_active[i].Queued.Cancelled) Leave(_active[i], GenerationEnd.Cancelled);
                }
            }
        }
#pragma warning disable CA1031 // the callers get the failure
        catch (Exception e)
        {
            // A pass that failed leaves nothing that could be trusted.
            worker.Prefixes.Clear();
            foreach (var queued in _active.Select(sequence => sequence.Queued).Concat(_arrived))
            {
                queue.Done();
                queued.Fail(new InvalidOperationException($"Generation failed: {e.Message}", e));
            }
        }
#pragma warning restore CA1031
    }

    // Where a sequence is about to compute a longer beginning of a prompt than there is, the prompt waits for it.
    private void Begin()
    {
        for (var i = 0; i < _arrived.Count;)
        {
            var queued = _arrived[i];
            var room = worker.RoomOf(queued.Request);
            if (!queue.Closed && !queued.Cancelled && room > 0)
            {
                var (shared, length, soon) = worker.Prefixes.Find(queued.Request.Prompt);
                if (soon)
                {
                    i++;
                    continue;
                }

                var run = worker.Prefixes.Open(queued.Request.Prompt, shared, length, (parent, start) => worker.Rent(parent, queued.Request.Prompt.Length - 1 + room - start, start));
                _active.Add(new(queued, run) { Next = length });
            }
            else
            {
                queue.Done();
                if (queue.Closed) queued.Fail(GenerationQueue.Gone());
                else if (queued.Cancelled) queued.FinishCancelled(Nothing(GenerationEnd.Cancelled));
                else queued.Finish(Nothing(GenerationEnd.Length));
            }

            _arrived.RemoveAt(i);
        }
    }

    private void Take(OpenSequence sequence, int token, float logProb)
    {
        try
        {
            if (sequence.Add(token, logProb, null, worker.Positions) is { } end) Leave(sequence, end);
        }
#pragma warning disable CA1031 // what a caller's callback throws is that caller's
        catch (Exception e)
        {
            Leave(sequence).Fail(e);
        }
#pragma warning restore CA1031
    }

    private void Leave(OpenSequence sequence, GenerationEnd end)
    {
        var queued = Leave(sequence);
        if (end == GenerationEnd.Cancelled) queued.FinishCancelled(sequence.Result(end));
        else queued.Finish(sequence.Result(end));
    }

    private QueuedRequest Leave(OpenSequence sequence)
    {
        _active.Remove(sequence);
        worker.Prefixes.Close(sequence.Cached, [.. sequence.Request.Prompt, .. sequence.Tokens], worker.Return);
        queue.Done();
        return sequence.Queued;
    }
}
