using System.Globalization;
using Deliberate.Evaluation;

namespace Deliberate.Cli.Interaction;

/// <summary>Numbers as people read them.</summary>
internal static class Figures
{
    /// <summary>"42 s", "3 min 05 s", "1 h 12 min".</summary>
    public static string Duration(TimeSpan time)
    {
        var seconds = (long)Math.Round(Math.Max(0, time.TotalSeconds));
        return seconds < 60 ? Text($"{seconds} s") : seconds < 3600 ? Text($"{seconds / 60} min {seconds % 60:00} s") : Text($"{seconds / 3600} h {seconds / 60 % 60:00} min");
    }

    /// <summary>"105/s", "12.4/s", "0.52/s", "3.1/min": three figures at most.</summary>
    public static string Rate(double perSecond) => perSecond switch
    {
        >= 100 => Text($"{perSecond:0}/s"),
        >= 10 => Text($"{perSecond:0.0}/s"),
        >= 0.1 => Text($"{perSecond:0.00}/s"),
        _ => Text($"{perSecond * 60:0.0}/min"),
    };

    /// <summary>"1.9 GB", "640 MB".</summary>
    public static string Bytes(long bytes) => bytes >= 1_000_000_000 ? Text($"{bytes / 1e9:0.0} GB") : Text($"{bytes / 1e6:0} MB");

    /// <summary>"0.97"; "–" when nothing was measured.</summary>
    public static string Value(Metric? metric) => metric is null or { N: 0 } ? "–" : Text($"{metric.Value:0.000}");

    /// <summary>"[0.94, 0.99]"; nothing when nothing was measured.</summary>
    public static string Interval(Metric? metric) => metric is null or { N: 0 } ? "" : Text($"[{metric.Low:0.00}, {metric.High:0.00}]");

    /// <summary>"0.94–0.99": the interval where there is little room.</summary>
    public static string NarrowInterval(Metric? metric) => metric is null or { N: 0 } ? "" : Text($"{metric.Low:0.00}–{metric.High:0.00}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
