using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Deliberate.Evaluation;

namespace Deliberate.Server.Report;

/// <summary>How figures are written for people. A dash stands for an interval, a narrow space before units.</summary>
internal static class Numbers
{
    /// <summary>What stands where a figure could not be had.</summary>
    public const string Missing = "not measured";

    private const string Space = "\u202f";
    private const string Dash = "–";

    /// <summary>Whether there is a value to show.</summary>
    public static bool IsMeasured([NotNullWhen(true)] this Metric? metric) => metric is { N: > 0 } && double.IsFinite(metric.Value);

    /// <summary>Whether there is an interval to show.</summary>
    public static bool HasInterval(this Metric metric) => double.IsFinite(metric.Low) && double.IsFinite(metric.High);

    /// <summary>A share as "97.3 %".</summary>
    public static string Percent(double share) => double.IsFinite(share) ? Tenths(share) + Space + "%" : Missing;

    /// <summary>An interval of shares as "95.1–98.4 %".</summary>
    public static string Percent(double low, double high) =>
        double.IsFinite(low) && double.IsFinite(high) ? Tenths(low) + Dash + Tenths(high) + Space + "%" : "no interval";

    /// <summary>The value in the metric's own way: a percentage, or a score from 0 to 1 with two decimals.</summary>
    public static string Value(MetricInfo info, Metric? metric) =>
        !metric.IsMeasured() ? Missing : info.IsShare ? Percent(metric.Value) : metric.Value.ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>The interval in the metric's own way.</summary>
    public static string Interval(MetricInfo info, Metric? metric) => !metric.IsMeasured() || !metric.HasInterval() ? "no interval"
        : info.IsShare ? Percent(metric.Low, metric.High)
        : metric.Low.ToString("0.00", CultureInfo.InvariantCulture) + Dash + metric.High.ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>The number as report.json has it, to three decimals.</summary>
    public static string Exact(double value) => double.IsFinite(value) ? value.ToString("0.000", CultureInfo.InvariantCulture) : Dash;

    /// <summary>A whole number with its thousands apart.</summary>
    public static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture).Replace(",", Space, StringComparison.Ordinal);

    /// <summary>A duration: "4 min 07 s", "12.3 s".</summary>
    public static string Duration(double seconds) => !double.IsFinite(seconds) ? Missing
        : seconds < 59.95 ? seconds.ToString("0.0", CultureInfo.InvariantCulture) + Space + "s"
        : seconds < 3599.5 ? string.Create(CultureInfo.InvariantCulture, $"{(int)Math.Round(seconds) / 60}{Space}min {(int)Math.Round(seconds) % 60:00}{Space}s")
        : string.Create(CultureInfo.InvariantCulture, $"{(long)Math.Round(seconds) / 3600}{Space}h {(long)Math.Round(seconds) % 3600 / 60:00}{Space}min");

    /// <summary>Bytes in GiB or MiB.</summary>
    public static string Bytes(long bytes) => bytes >= 1L << 30
        ? (bytes / (double)(1L << 30)).ToString("0.00", CultureInfo.InvariantCulture) + Space + "GiB"
        : (bytes / (double)(1L << 20)).ToString("0", CultureInfo.InvariantCulture) + Space + "MiB";

    /// <summary>A rate or a curve's value to about three digits.</summary>
    public static string Short(double value) => !double.IsFinite(value) ? Dash : Math.Abs(value) switch
    {
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.#", CultureInfo.InvariantCulture),
        >= 0.1 => value.ToString("0.##", CultureInfo.InvariantCulture),
        0 => "0",
        >= 0.01 => value.ToString("0.###", CultureInfo.InvariantCulture),
        >= 0.001 => value.ToString("0.####", CultureInfo.InvariantCulture),
        _ => value.ToString("0.#e+0", CultureInfo.InvariantCulture),
    };

    private static string Tenths(double share) => (share * 100) switch
    {
        0 => "0",
        100 => "100",
        var percent => percent.ToString("0.0", CultureInfo.InvariantCulture),
    };
}
