using System.Diagnostics;
using System.Diagnostics.Metrics;
using Deliberate.Policies;

namespace Deliberate.Server.Rewards;

/// <summary>
/// Metrics and traces of rewards, without content. A span follows the conventions for generative AI (the event <c>gen_ai.evaluation.result</c> of the
/// OpenTelemetry semantic conventions). Thread-safe.
/// </summary>
internal sealed class RewardTelemetry
{
    /// <summary>Name of the meter and of the source of activities.</summary>
    public const string Name = "Deliberate.Rewards";

    private static readonly ActivitySource Source = new(Name);
    private readonly Meter _meter;
    private readonly Counter<long> _items;
    private readonly Counter<long> _cache;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _score;
    private readonly Histogram<int> _batch;
    private readonly UpDownCounter<long> _inFlight;

    public RewardTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        _items = _meter.CreateCounter<long>("deliberate.reward.items", "{item}", "Items by protocol and outcome: scored, malformed or unscored; error.type says why an item is unscored.");
        _cache = _meter.CreateCounter<long>("deliberate.reward.cache", "{item}", "Items by where their reward came from: made, joined (being made for another request) or kept.");
        _duration = _meter.CreateHistogram("deliberate.reward.duration", "s", "Time from reading an item to its outcome.", tags: null,
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120] });
        _score = _meter.CreateHistogram("deliberate.reward.score", "1", "Rewards of scored items.", tags: null,
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] });
        _batch = _meter.CreateHistogram("deliberate.reward.batch.size", "{item}", "Items that go to the judge in one call.", tags: null,
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] });
        _inFlight = _meter.CreateUpDownCounter<long>("deliberate.reward.in_flight", "{item}", "Items whose outcome is awaited.");
    }

    /// <summary>Shows how many rewards are kept.</summary>
    public void Observe(Func<int> kept) => _meter.CreateObservableGauge("deliberate.reward.cache.entries", kept, "{item}", "Rewards that are kept.");

    /// <summary>Begins an item.</summary>
    public (long At, Activity? Activity) Start()
    {
        _inFlight.Add(1);
        return (Stopwatch.GetTimestamp(), Source.StartActivity("evaluate policy"));
    }

    /// <summary>Counts a call to the judge.</summary>
    public void Batch(int items) => _batch.Record(items);

    /// <summary>Ends an item.</summary>
    public void Scored((long At, Activity? Activity) started, string protocol, Outcome outcome, CacheUse use, Spec spec)
    {
        _inFlight.Add(-1);
        _duration.Record(Stopwatch.GetElapsedTime(started.At).TotalSeconds, new KeyValuePair<string, object?>("protocol", protocol));
        _cache.Add(1, new KeyValuePair<string, object?>("result", use switch { CacheUse.Kept => "kept", CacheUse.Joined => "joined", _ => "made" }));
        var kind = outcome.Score is null ? "unscored" : outcome.Malformed is null ? "scored" : "malformed";
        if (outcome.Failure is { } failure) _items.Add(1, new("protocol", protocol), new("outcome", kind), new("error.type", failure));
        else _items.Add(1, new KeyValuePair<string, object?>("protocol", protocol), new KeyValuePair<string, object?>("outcome", kind));
        if (outcome.Score is { } score) _score.Record(score);
        if (started.Activity is not { } activity) return;
        activity.SetTag("gen_ai.operation.name", "evaluate");
        activity.SetTag("deliberate.policy.hash", spec.PolicyHash);
        activity.SetTag("deliberate.policy.category", spec.Category);
        activity.SetTag("deliberate.reward.protocol", protocol);
        ActivityTagsCollection tags = new() { ["gen_ai.evaluation.name"] = "policy", ["gen_ai.evaluation.score.label"] = kind };
        if (outcome.Score is { } value) tags["gen_ai.evaluation.score.value"] = value;
        if (outcome.Failure is { } error)
        {
            tags["error.type"] = error;
            activity.SetTag("error.type", error);
            activity.SetStatus(ActivityStatusCode.Error);
        }

        activity.AddEvent(new("gen_ai.evaluation.result", tags: tags));
        activity.Dispose();
    }
}
