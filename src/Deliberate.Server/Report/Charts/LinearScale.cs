using System.Globalization;

namespace Deliberate.Server.Report.Charts;

/// <summary>Maps values onto a stretch of the drawing: <paramref name="Min"/> to <paramref name="From"/>, <paramref name="Max"/> to <paramref name="To"/>.</summary>
/// <param name="Min">Lowest value.</param>
/// <param name="Max">Highest value.</param>
/// <param name="From">Where the lowest value lies, in drawing units.</param>
/// <param name="To">Where the highest value lies.</param>
public readonly record struct LinearScale(double Min, double Max, double From, double To)
{
    /// <summary>The place of a value; the middle when the scale has no extent.</summary>
    public double Of(double value) => Max > Min ? From + ((value - Min) / (Max - Min) * (To - From)) : (From + To) / 2;

    /// <summary>Round values (1, 2 or 5 times a power of ten apart) within the scale, about <paramref name="count"/> of them.</summary>
    public IReadOnlyList<double> Ticks(int count)
    {
        var step = Step(Max - Min, count);
        var (min, max) = (Min, Max);
        var first = (long)Math.Ceiling((min / step) - 1e-9);
        var last = (long)Math.Floor((max / step) + 1e-9);
        return last - first is < 0 or > 100 ? [] : [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => Math.Round((first + i) * step, 12))];
    }

    /// <summary>A scale that holds all these values between round ends; values that are not finite do not count.</summary>
    public static LinearScale Around(IEnumerable<double> values, double from, double to, int ticks = 4)
    {
        var (min, max) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values.Where(double.IsFinite)) (min, max) = (Math.Min(min, value), Math.Max(max, value));
        if (min > max) (min, max) = (0, 1);
        // One value alone gets some room on both sides.
        if (max - min < 1e-12) (min, max) = (min - Math.Max(Math.Abs(min) * 0.1, 1e-3), max + Math.Max(Math.Abs(max) * 0.1, 1e-3));
        var step = Step(max - min, ticks);
        // Rounding outward may make the step itself too small: then the ends move to the next rounder step, so that ticks stand on both.
        while (true)
        {
            var (low, high) = (Math.Floor((min / step) + 1e-9) * step, Math.Ceiling((max / step) - 1e-9) * step);
            if (Step(high - low, ticks) is var wider && wider <= step * 1.0000001) return new(low, high, from, to);
            step = wider;
        }
    }

    /// <summary>A number for an SVG attribute: at most two decimals, a point between them.</summary>
    public static string Number(double value) => (Math.Abs(value) < 0.005 ? 0 : value).ToString("0.##", CultureInfo.InvariantCulture);

    private static double Step(double extent, int count)
    {
        if (!(extent > 0) || !double.IsFinite(extent)) return 1;
        var rough = extent / Math.Max(1, count);
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return (rough / power) switch { <= 1.0000001 => 1, <= 2.0000001 => 2, <= 5.0000001 => 5, _ => 10 } * power;
    }
}
