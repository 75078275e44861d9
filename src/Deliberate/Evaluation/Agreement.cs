namespace Deliberate.Evaluation;

/// <summary>How far two raters of the same items agree.</summary>
public static class Agreement
{
    /// <summary>
    /// Cohen's kappa (1960): agreement beyond what the raters' own habits would give by chance. 1 is full agreement, 0 is chance; NaN when chance alone makes it full,
    /// as when both give every item one and the same label.
    /// </summary>
    /// <param name="pairs">What each of the two said of an item; at least one item.</param>
    public static double Kappa<T>(IReadOnlyList<(T First, T Second)> pairs)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(pairs);
        if (pairs.Count == 0) return double.NaN;
        var same = EqualityComparer<T>.Default;
        double count = pairs.Count;
        var observed = pairs.Count(pair => same.Equals(pair.First, pair.Second)) / count;
        var first = pairs.GroupBy(pair => pair.First).ToDictionary(group => group.Key, group => group.Count() / count);
        var chance = pairs.GroupBy(pair => pair.Second).Sum(group => group.Count() / count * first.GetValueOrDefault(group.Key));
        return chance >= 1 ? double.NaN : (observed - chance) / (1 - chance);
    }

    /// <summary>Kappa with its interval over items.</summary>
    /// <param name="pairs">What each of the two said of an item.</param>
    /// <param name="bootstrap">Draws the items.</param>
    /// <param name="unscored">Items on which one of them said nothing.</param>
    public static Metric Kappa<T>(IReadOnlyList<(T First, T Second)> pairs, Bootstrap bootstrap, int unscored = 0)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(bootstrap);
        return bootstrap.Of(pairs.Count, drawn => Kappa([.. drawn.Select(index => pairs[index])]), unscored);
    }
}
