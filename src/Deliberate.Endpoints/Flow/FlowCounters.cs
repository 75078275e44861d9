namespace Deliberate.Endpoints.Flow;

/// <summary>Counts what calls come to. Thread-safe.</summary>
internal sealed class FlowCounters(FlowControlOptions options)
{
    private const int Buckets = 12;
    private const double BucketSeconds = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<FailureReason, int> _failures = [];
    private readonly (long Number, int Calls, long Tokens)[] _recent = new (long, int, long)[Buckets];
    private FlowSnapshot _sum = new() { Currency = options.Prices?.Currency };
    private long? _start;
    private int? _expected;

    public void Expect(int calls)
    {
        lock (_lock) _expected = (_expected ?? 0) + calls;
    }

    public void Call() => Change(sum => sum with { Calls = sum.Calls + 1 });

    public void Retry() => Change(sum => sum with { Retries = sum.Retries + 1 });

    public void GiveUp() => Change(sum => sum with { Failed = sum.Failed + 1 });

    public void Cancel() => Change(sum => sum with { Cancelled = sum.Cancelled + 1 });

    public void Fail(FailureReason reason) => Change(sum =>
    {
        _failures[reason] = _failures.GetValueOrDefault(reason) + 1;
        return sum;
    });

    public void Uncertain(long tokens, decimal cost) => Change(sum => sum with { UncertainTokens = sum.UncertainTokens + tokens, UncertainCost = sum.UncertainCost + cost });

    public void Succeed(long input, long output, long reasoning, decimal cost, bool cut) => Change(sum =>
    {
        var number = (long)(Elapsed().TotalSeconds / BucketSeconds);
        ref var bucket = ref _recent[number % Buckets];
        if (bucket.Number != number) bucket = (number, 0, 0);
        bucket = (number, bucket.Calls + 1, bucket.Tokens + input + output);
        return sum with
        {
            Succeeded = sum.Succeeded + 1,
            InputTokens = sum.InputTokens + input,
            OutputTokens = sum.OutputTokens + output,
            ReasoningTokens = sum.ReasoningTokens + reasoning,
            Cost = sum.Cost + cost,
            Cut = sum.Cut + (cut ? 1 : 0),
        };
    });

    public FlowSnapshot Snapshot(ConcurrencyGate gate)
    {
        lock (_lock)
        {
            var elapsed = _start is null ? TimeSpan.Zero : Elapsed();
            var oldest = (long)(elapsed.TotalSeconds / BucketSeconds) - Buckets;
            var recent = _recent.Where(bucket => bucket.Number > oldest).ToList();
            var minutes = Math.Max(Math.Min(elapsed.TotalSeconds, Buckets * BucketSeconds), 1) / 60;
            var rate = recent.Sum(bucket => bucket.Calls) / minutes;
            int? left = _expected is { } expected ? Math.Max(0, expected - _sum.Succeeded - _sum.Failed) : null;
            return _sum with
            {
                Failures = new Dictionary<FailureReason, int>(_failures),
                InFlight = gate.Inside,
                Waiting = gate.Waiting,
                ConcurrencyLimit = gate.Limit,
                Elapsed = elapsed,
                CallsPerMinute = rate,
                TokensPerMinute = recent.Sum(bucket => bucket.Tokens) / minutes,
                Left = left,
                TimeLeft = left is { } calls && rate > 0 ? TimeSpan.FromMinutes(calls / rate) : null,
            };
        }
    }

    private void Change(Func<FlowSnapshot, FlowSnapshot> change)
    {
        lock (_lock)
        {
            _start ??= options.TimeProvider.GetTimestamp();
            _sum = change(_sum);
        }
    }

    private TimeSpan Elapsed() => options.TimeProvider.GetElapsedTime(_start ?? options.TimeProvider.GetTimestamp());
}
