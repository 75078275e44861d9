using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Deliberate.Server.Rewards.Metrics;

/// <summary>
/// Listens to meters and writes their values in Prometheus' text format 0.0.4, with names as OpenTelemetry's rules for Prometheus make them: dots become
/// underscores, the unit and <c>_total</c> are appended. It listens from when it is made. Thread-safe.
/// </summary>
internal sealed class PrometheusMetrics : IDisposable
{
    /// <summary>The type of the text.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    // Meters of this project, of the runtime and of the web server: none of them carries content.
    private static readonly string[] Meters = ["Deliberate.", "System.Runtime", "Microsoft.AspNetCore.Hosting"];

    private readonly ConcurrentDictionary<Instrument, MetricSeries> _series = new();
    private readonly MeterListener _listener;

    /// <param name="factory">The factory of the host: meters of other hosts in the process are not listened to.</param>
    public PrometheusMetrics(IMeterFactory factory)
    {
        _listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                var meter = instrument.Meter;
                if (!Meters.Any(name => meter.Name.StartsWith(name, StringComparison.Ordinal)) || (meter.Scope is not null && !ReferenceEquals(meter.Scope, factory))) return;
                listener.EnableMeasurementEvents(instrument, _series.GetOrAdd(instrument, MetricSeries.Of));
            },
        };
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, series) => ((MetricSeries)series!).Add(value, tags));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, series) => ((MetricSeries)series!).Add((double)value, tags));
        _listener.Start();
    }

    /// <summary>All values as they are now.</summary>
    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var family in _series.GroupBy(series => series.Value.Name).OrderBy(family => family.Key, StringComparer.Ordinal))
        {
            var (instrument, first) = family.First();
            text.Append(CultureInfo.InvariantCulture, $"# HELP {family.Key} {(instrument.Description ?? "").Replace("\\", @"\\", StringComparison.Ordinal).ReplaceLineEndings(" ")}\n");
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {family.Key} {first.Type}\n");
            foreach (var (_, series) in family) series.Write(text);
        }

        return text.ToString();
    }

    /// <summary>Stops listening.</summary>
    public void Dispose() => _listener.Dispose();
}
