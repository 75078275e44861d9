using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Deliberate.Server.Rewards.Metrics;

/// <summary>The values of one instrument, by its tags. Thread-safe.</summary>
internal sealed class MetricSeries
{
    // More than that are a mistake in whoever records, and memory that grows.
    private const int MostSeries = 1000;

    private static readonly double[] DefaultBounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private readonly ConcurrentDictionary<string, Values> _byTags = new(StringComparer.Ordinal);
    private readonly bool _sets;
    private readonly double[]? _bounds;

    private MetricSeries(string name, string type, bool sets, double[]? bounds) => (Name, Type, _sets, _bounds) = (name, type, sets, bounds);

    /// <summary>The name of the metric.</summary>
    public string Name { get; }

    /// <summary><c>counter</c>, <c>gauge</c> or <c>histogram</c>.</summary>
    public string Type { get; }

    /// <summary>The series of an instrument.</summary>
    public static MetricSeries Of(Instrument instrument)
    {
        var kind = instrument.GetType().GetGenericTypeDefinition();
        var type = kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>) ? "counter" : kind == typeof(Histogram<>) ? "histogram" : "gauge";
        var name = new StringBuilder(instrument.Name.Length + 16);
        foreach (var c in instrument.Name) name.Append(char.IsAsciiLetterOrDigit(c) || c == ':' ? c : '_');
        var unit = instrument.Unit switch { "s" => "_seconds", "ms" => "_milliseconds", "By" => "_bytes", "1" when type == "gauge" => "_ratio", _ => "" };
        if (unit.Length > 0 && !name.ToString().EndsWith(unit, StringComparison.Ordinal)) name.Append(unit);
        if (type == "counter" && !name.ToString().EndsWith("_total", StringComparison.Ordinal)) name.Append("_total");
        return new(name.ToString(), type, instrument.IsObservable || kind == typeof(Gauge<>), type == "histogram" ? Bounds(instrument) : null);
    }

    /// <summary>Takes a measurement.</summary>
    public void Add(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Span<char> buffer = stackalloc char[256];
        var key = Labels(tags, buffer);
        if (!_byTags.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out var values))
        {
            if (_byTags.Count >= MostSeries) return;
            values = _byTags.GetOrAdd(key.ToString(), _ => new(_bounds));
        }

        values.Add(value, _sets);
    }

    /// <summary>Writes the lines of all series.</summary>
    public void Write(StringBuilder text)
    {
        foreach (var (labels, values) in _byTags.OrderBy(series => series.Key, StringComparer.Ordinal)) values.Write(text, Name, labels);
    }

    private static double[] Bounds(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        _ => DefaultBounds,
    };

    // protocol="score",outcome="scored"
    private static ReadOnlySpan<char> Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags, Span<char> buffer)
    {
        var at = 0;
        foreach (var (name, value) in tags)
        {
            var text = value as string ?? Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
            if (at + name.Length + (2 * text.Length) + 4 > buffer.Length) return Long(tags);
            if (at > 0) buffer[at++] = ',';
            foreach (var c in name) buffer[at++] = char.IsAsciiLetterOrDigit(c) ? c : '_';
            buffer[at++] = '=';
            buffer[at++] = '"';
            foreach (var c in text)
            {
                if (c is '\\' or '"' or '\n') buffer[at++] = '\\';
                buffer[at++] = c == '\n' ? 'n' : c;
            }

            buffer[at++] = '"';
        }

        return buffer[..at];
    }

    private static string Long(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var buffer = new char[tags.Length * 8192];
        var shortened = new KeyValuePair<string, object?>[tags.Length];
        for (var i = 0; i < tags.Length; i++)
        {
            var text = Convert.ToString(tags[i].Value, CultureInfo.InvariantCulture) ?? "";
            shortened[i] = new(tags[i].Key.Length > 128 ? tags[i].Key[..128] : tags[i].Key, text.Length > 1024 ? text[..1024] : text);
        }

        return Labels(shortened, buffer).ToString();
    }

    private sealed class Values(double[]? bounds)
    {
        private readonly Lock _lock = new();
        private readonly long[] _buckets = new long[(bounds?.Length ?? 0) + 1];
        private double _sum;

        public void Add(double value, bool set)
        {
            var bucket = 0;
            if (bounds is not null) while (bucket < bounds.Length && value > bounds[bucket]) bucket++;
            lock (_lock)
            {
                _sum = set ? value : _sum + value;
                _buckets[bucket]++;
            }
        }

        public void Write(StringBuilder text, string name, string labels)
        {
            double sum;
            long[] buckets;
            lock (_lock) (sum, buckets) = (_sum, [.. _buckets]);
            var braces = labels.Length == 0 ? "" : $"{{{labels}}}";
            if (bounds is null)
            {
                text.Append(CultureInfo.InvariantCulture, $"{name}{braces} {Number(sum)}\n");
                return;
            }

            var (before, total) = (labels.Length == 0 ? "" : $"{labels},", 0L);
            for (var i = 0; i < buckets.Length; i++)
            {
                total += buckets[i];
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{before}le=\"{(i < bounds.Length ? Number(bounds[i]) : "+Inf")}\"}} {total}\n");
            }

            text.Append(CultureInfo.InvariantCulture, $"{name}_sum{braces} {Number(sum)}\n{name}_count{braces} {total}\n");
        }

        private static string Number(double value) => double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
    }
}
