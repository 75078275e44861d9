using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Deliberate.Server.Tests.Chat;

/// <summary>Listens to all that this process logs, traces and measures, and keeps what has a sign in it.</summary>
internal sealed class Overheard : ILoggerProvider
{
    private readonly string _sign;
    private readonly ActivityListener _activities;
    private readonly MeterListener _meters = new();
    private long _lines, _spans, _measurements;

    public Overheard(string sign)
    {
        _sign = sign;
        _activities = new()
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                Interlocked.Increment(ref _spans);
                Hear($"{activity.DisplayName} {activity.StatusDescription}");
                foreach (var tag in activity.TagObjects) Hear($"{tag.Key}={tag.Value}");
                foreach (var item in activity.Baggage) Hear($"{item.Key}={item.Value}");
                foreach (var happened in activity.Events)
                {
                    Hear(happened.Name);
                    foreach (var tag in happened.Tags) Hear($"{tag.Key}={tag.Value}");
                }
            },
        };
        ActivitySource.AddActivityListener(_activities);
        _meters.InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument);
        _meters.SetMeasurementEventCallback<int>(Measured);
        _meters.SetMeasurementEventCallback<long>(Measured);
        _meters.SetMeasurementEventCallback<double>(Measured);
        _meters.Start();
    }

    public ConcurrentQueue<string> Leaks { get; } = new();

    /// <summary>How many lines, spans and measurements were heard, so that silence is no proof.</summary>
    public (long Lines, long Spans, long Measurements) Heard => (_lines, _spans, _measurements);

    public ILogger CreateLogger(string categoryName) => new Listener(this);

    public void Dispose()
    {
        _activities.Dispose();
        _meters.Dispose();
    }

    private void Measured<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        Interlocked.Increment(ref _measurements);
        foreach (var tag in tags) Hear($"{instrument.Name} {tag.Key}={tag.Value}");
    }

    private void Hear(string text)
    {
        if (text.Contains(_sign, StringComparison.Ordinal)) Leaks.Enqueue(text);
    }

    private sealed class Listener(Overheard all) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull
        {
            all.Hear(state.ToString() ?? "");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Interlocked.Increment(ref all._lines);
            all.Hear(formatter(state, exception));
            if (exception is not null) all.Hear(exception.ToString());
            if (state is IEnumerable<KeyValuePair<string, object?>> values)
                foreach (var value in values) all.Hear($"{value.Key}={value.Value}");
        }
    }
}
