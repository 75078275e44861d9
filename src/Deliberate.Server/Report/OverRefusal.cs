using Deliberate.Evaluation;

namespace Deliberate.Server.Report;

/// <summary>Over-refusal on benign and on allowed requests together.</summary>
public static class OverRefusal
{
    /// <summary>
    /// The mean of the two weighted by their items. The interval treats them as independent: half-widths are weighted and added as squares.
    /// A metric of no items when neither was measured.
    /// </summary>
    public static Metric Pooled(IReadOnlyDictionary<string, Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        Metric?[] both = [metrics.GetValueOrDefault("over_refusal_benign"), metrics.GetValueOrDefault("over_refusal_allowed")];
        var unscored = both.Sum(metric => metric?.Unscored ?? 0);
        var parts = both.Where(metric => metric.IsMeasured()).Select(metric => metric!).ToArray();
        var n = parts.Sum(part => part.N);
        if (n == 0) return Metric.None(unscored);
        var value = parts.Sum(part => part.Value * part.N / n);
        var low = Math.Sqrt(parts.Sum(part => Math.Pow((part.Value - part.Low) * part.N / n, 2)));
        var high = Math.Sqrt(parts.Sum(part => Math.Pow((part.High - part.Value) * part.N / n, 2)));
        return new(value, Math.Max(0, value - low), Math.Min(1, value + high), n, unscored);
    }

    /// <summary>The complement: the share of requests that were rightly not refused.</summary>
    public static Metric NotRefused(IReadOnlyDictionary<string, Metric> metrics)
    {
        var pooled = Pooled(metrics);
        return pooled with { Value = 1 - pooled.Value, Low = 1 - pooled.High, High = 1 - pooled.Low };
    }
}
