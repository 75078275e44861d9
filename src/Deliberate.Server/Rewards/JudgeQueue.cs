using Deliberate.Judging;
using Deliberate.Rewards;

namespace Deliberate.Server.Rewards;

/// <summary>
/// Brings items to the judge in batches. While the judge is idle an item goes at once; while it is at work, which shows when a call does not return with its
/// answer, items gather until a batch is full or the first of them has waited long enough. Thread-safe.
/// </summary>
internal sealed class JudgeQueue : IDisposable
{
    private const int LimitFactor = 5;

    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _waiting = [];
    private readonly HashSet<CancellationTokenSource> _running = [];
    private readonly AnswerReward _reward;
    private readonly RewardOptions _options;
    private readonly TimeProvider _time;
    private readonly RewardTelemetry _telemetry;
    private readonly ITimer _timer;
    private int _abandoned;
    private int _awaited; // calls whose judge has not answered at once: until then it is not known to be at work
    private bool _stopped;

    public JudgeQueue(IAnswerJudge judge, RewardOptions options, TimeProvider time, RewardTelemetry telemetry)
    {
        (_reward, _options, _time, _telemetry) = (new(judge), options, time, telemetry);
        _timer = time.CreateTimer(static queue => ((JudgeQueue)queue!).Send(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Judges an item, within the time limit. Never throws.</summary>
    /// <param name="item">The item.</param>
    /// <param name="late">Hears the outcome that comes after the limit.</param>
    public Task<Outcome> JudgeAsync(RewardItem item, Action<Outcome> late)
    {
        var waiting = new Waiting(item, _time.GetTimestamp());
        lock (_lock)
        {
            if (_stopped) return Task.FromResult(Outcome.Failed(Failures.Stopped));
            if (_waiting.Count - _abandoned >= _options.QueueLimit) return Task.FromResult(Outcome.Failed(Failures.Overloaded));
            _waiting.Enqueue(waiting);
        }

        Send();
        return waiting.Task.IsCompleted ? waiting.Task : LimitAsync(waiting, late);
    }

    /// <summary>Ends all work; what waits is unscored.</summary>
    public void Dispose()
    {
        Waiting[] left;
        CancellationTokenSource[] running;
        lock (_lock)
        {
            _stopped = true;
            (left, running) = ([.. _waiting], [.. _running]);
            _waiting.Clear();
        }

        _timer.Dispose();
        foreach (var waiting in left) waiting.TrySetResult(Outcome.Failed(Failures.Stopped));
        foreach (var batch in running)
        {
            try
            {
                batch.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // it has ended meanwhile
            }
        }
    }

    private async Task<Outcome> LimitAsync(Waiting waiting, Action<Outcome> late)
    {
        try
        {
            return await waiting.Task.WaitAsync(_options.ItemTimeout, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            lock (_lock)
            {
                if (waiting is { Sent: false, Abandoned: false }) (waiting.Abandoned, _abandoned) = (true, _abandoned + 1);
            }

            if (!waiting.Abandoned) _ = waiting.Task.ContinueWith(task => late(task.Result), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return Outcome.Failed(VerdictKinds.TimedOut);
        }
    }

    private void Send()
    {
        // A judge that answers at once is done with when this call returns, and the next batch may go.
        while (Take() is { Items: { } items, Limit: { } limit }) _ = RunAsync(items, limit);
    }

    private (Waiting[]? Items, CancellationTokenSource? Limit) Take()
    {
        lock (_lock)
        {
            while (_waiting.TryPeek(out var first) && first.Abandoned) Drop();
            if (_stopped || _waiting.Count == 0 || _running.Count >= _options.MaxBatches) return default;
            var waited = _time.GetElapsedTime(_waiting.Peek().Arrived);
            if (_awaited > 0 && _waiting.Count - _abandoned < _options.BatchSize && waited < _options.BatchWindow)
            {
                _timer.Change(_options.BatchWindow - waited, Timeout.InfiniteTimeSpan);
                return default;
            }

            var batch = new List<Waiting>(Math.Min(_waiting.Count, _options.BatchSize));
            while (batch.Count < _options.BatchSize && _waiting.TryPeek(out var next))
            {
                if (next.Abandoned)
                {
                    Drop();
                    continue;
                }

                _waiting.Dequeue().Sent = true;
                batch.Add(next);
            }

            var limit = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time);
            _running.Add(limit);
            return ([.. batch], limit);
        }
    }

    private void Drop()
    {
        _waiting.Dequeue();
        _abandoned--;
    }

    private async Task RunAsync(Waiting[] batch, CancellationTokenSource limit)
    {
        var waited = false;
        _telemetry.Batch(batch.Length);
        try
        {
            var judging = _reward.ScoreAsync(Array.ConvertAll(batch, static waiting => waiting.Item), null, limit.Token);
            waited = !judging.IsCompleted;
            // A judge that never returns must not hold its place for ever.
            if (waited)
            {
                lock (_lock) _awaited++;
                limit.CancelAfter(_options.ItemTimeout * LimitFactor);
            }

            var rewards = waited ? await judging.WaitAsync(limit.Token).ConfigureAwait(false) : await judging.ConfigureAwait(false);
            Done(limit, waited);
            for (var i = 0; i < batch.Length; i++) batch[i].TrySetResult(Outcome.Of(rewards[i], _options.ShowReasons));
        }
        catch (Exception problem)
        {
            Done(limit, waited);
            var outcome = problem is OperationCanceledException && limit.IsCancellationRequested
                ? Outcome.Failed(_stopped ? Failures.Stopped : VerdictKinds.TimedOut)
                : Outcome.Failed(VerdictKinds.Failed, _options.ShowReasons ? problem.Message.ReplaceLineEndings(" ") : null);
            foreach (var waiting in batch) waiting.TrySetResult(outcome);
        }
        finally
        {
            limit.Dispose();
        }

        if (waited) Send();
    }

    private void Done(CancellationTokenSource limit, bool awaited)
    {
        lock (_lock)
        {
            _running.Remove(limit);
            if (awaited) _awaited--;
        }
    }

    private sealed class Waiting(RewardItem item, long arrived) : TaskCompletionSource<Outcome>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public RewardItem Item => item;

        public long Arrived => arrived;

        public bool Sent { get; set; }

        public bool Abandoned { get; set; }
    }
}
