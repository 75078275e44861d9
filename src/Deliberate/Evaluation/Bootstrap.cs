namespace Deliberate.Evaluation;

/// <summary>
/// Percentile bootstrap over items, as the paper reports its error bars (section 3: resampled evaluation items, not training
/// seeds). The same seed gives the same interval.
/// </summary>
/// <param name="seed">Seed of the resampling.</param>
/// <param name="resamples">Number of resamples.</param>
/// <param name="level">Share of the resampled means inside the interval.</param>
/// <remarks>Thread-safe: every call starts its own random source.</remarks>
public sealed class Bootstrap(int seed, int resamples = 1000, double level = 0.95)
{
    /// <summary>The mean of the values with its interval; NaN when there are none.</summary>
    public Metric Mean(IReadOnlyList<double> values, int unscored = 0)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Count == 0) return new(double.NaN, double.NaN, double.NaN, 0, unscored);
        var random = new Random(seed);
        var means = new double[resamples];
        for (var r = 0; r < resamples; r++)
        {
            double sum = 0;
            for (var i = 0; i < values.Count; i++) sum += values[random.Next(values.Count)];
            means[r] = sum / values.Count;
        }

        Array.Sort(means);
        return new(values.Average(), Percentile(means, (1 - level) / 2), Percentile(means, (1 + level) / 2), values.Count, unscored);
    }

    /// <summary>The share of true values with its interval.</summary>
    public Metric Share(IReadOnlyList<bool> values, int unscored = 0) => Mean([.. values.Select(value => value ? 1.0 : 0.0)], unscored);

    /// <summary>The mean of paired differences a - b with its interval.</summary>
    /// <exception cref="ArgumentException">The lists are not of one length.</exception>
    public Metric Difference(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Count != b.Count) throw new ArgumentException($"Paired values must be as many: {a.Count} and {b.Count}.", nameof(b));
        return Mean([.. a.Zip(b, (x, y) => x - y)]);
    }

    // Linear interpolation between the two nearest ranks.
    private static double Percentile(double[] sorted, double share)
    {
        var rank = share * (sorted.Length - 1);
        var low = (int)Math.Floor(rank);
        var high = Math.Min(low + 1, sorted.Length - 1);
        return sorted[low] + (rank - low) * (sorted[high] - sorted[low]);
    }
}
