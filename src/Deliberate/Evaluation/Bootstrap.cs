namespace Deliberate.Evaluation;

/// <summary>
/// Percentile intervals by drawing the items again with replacement (Efron and Tibshirani, 1993). They say how far a figure depends on
/// which items were asked, not on the training seed. The same seed and values give the same interval. Immutable, thread-safe.
/// </summary>
public sealed class Bootstrap
{
    private readonly int _seed;
    private readonly int _resamples;
    private readonly double _level;

    /// <summary>A bootstrap.</summary>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="resamples">Number of draws, at least 1.</param>
    /// <param name="level">Share of the draws inside the interval, between 0 and 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of range.</exception>
    public Bootstrap(int seed, int resamples = 1000, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);
        if (level is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(level), level, "The level lies between 0 and 1.");
        (_seed, _resamples, _level) = (seed, resamples, level);
    }

    /// <summary>The mean of values, one an item.</summary>
    /// <param name="values">The values of the scored items.</param>
    /// <param name="unscored">Number of items that could not be scored.</param>
    /// <exception cref="ArgumentException">A value is not finite: leave it out and count it as unscored.</exception>
    public Metric Mean(IReadOnlyList<double> values, int unscored = 0)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Any(value => !double.IsFinite(value))) throw new ArgumentException("A value is not finite: leave it out and count it as unscored.", nameof(values));
        if (values.Count == 0) return Metric.None(unscored);
        var random = new SplitMix((ulong)_seed);
        var items = values.ToArray();
        var means = new double[_resamples];
        for (var draw = 0; draw < _resamples; draw++)
        {
            var sum = 0.0;
            for (var i = 0; i < items.Length; i++) sum += items[random.Next(items.Length)];
            means[draw] = sum / items.Length;
        }

        Array.Sort(means);
        return new(items.Average(), Quantile(means, (1 - _level) / 2), Quantile(means, (1 + _level) / 2), items.Length, unscored);
    }

    /// <summary>The share of items for which something holds.</summary>
    /// <param name="holds">Whether it holds, for each scored item.</param>
    /// <param name="unscored">Number of items that could not be scored.</param>
    public Metric Share(IReadOnlyList<bool> holds, int unscored = 0)
    {
        ArgumentNullException.ThrowIfNull(holds);
        return Mean([.. holds.Select(yes => yes ? 1.0 : 0.0)], unscored);
    }

    /// <summary>The mean of <paramref name="a"/> less that of <paramref name="b"/>, over the same items in the same order.</summary>
    /// <exception cref="ArgumentException">The two differ in length, or a value is not finite.</exception>
    public Metric Difference(IReadOnlyList<double> a, IReadOnlyList<double> b, int unscored = 0)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Count != b.Count) throw new ArgumentException($"A paired difference needs the same items on both sides, not {a.Count} and {b.Count}.", nameof(b));
        return Mean([.. a.Zip(b, (left, right) => left - right)], unscored);
    }

    /// <summary>Any statistic of a set of items, such as a kappa.</summary>
    /// <param name="items">Number of scored items.</param>
    /// <param name="statistic">The statistic of the items with these numbers, from 0, of which some may occur several times; NaN where it has no value.</param>
    /// <param name="unscored">Number of items that could not be scored.</param>
    /// <remarks>Draws without a value are left out of the interval; without a value on the items themselves, nothing was measured.</remarks>
    public Metric Of(int items, Func<IReadOnlyList<int>, double> statistic, int unscored = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(items);
        ArgumentNullException.ThrowIfNull(statistic);
        if (items == 0 || statistic([.. Enumerable.Range(0, items)]) is not (var value and > double.NegativeInfinity and < double.PositiveInfinity)) return Metric.None(items + unscored);
        var random = new SplitMix((ulong)_seed);
        var values = new List<double>(_resamples);
        var drawn = new int[items];
        for (var draw = 0; draw < _resamples; draw++)
        {
            for (var i = 0; i < items; i++) drawn[i] = random.Next(items);
            if (statistic(drawn) is var one && double.IsFinite(one)) values.Add(one);
        }

        if (values.Count == 0) values.Add(value);
        double[] sorted = [.. values.Order()];
        return new(value, Quantile(sorted, (1 - _level) / 2), Quantile(sorted, (1 + _level) / 2), items, unscored);
    }

    // Seeded System.Random is a lagged subtraction: sums over some hundred draws come out too even, and intervals a little too narrow.
    private struct SplitMix(ulong state)
    {
        private ulong _state = state;

        // From 0 to count - 1; Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
        public int Next(int count)
        {
            _state += 0x9E3779B97F4A7C15;
            var bits = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
            bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
            return (int)Math.BigMul(bits ^ (bits >> 31), (ulong)count, out _);
        }
    }

    // Between the two nearest draws, in proportion.
    private static double Quantile(double[] sorted, double share)
    {
        var at = share * (sorted.Length - 1);
        var below = (int)at;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((at - below) * (sorted[above] - sorted[below]));
    }
}
