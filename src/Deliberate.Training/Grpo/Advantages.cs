namespace Deliberate.Training.Grpo;

/// <summary>Turns the rewards of one group (completions of one prompt) into advantages.</summary>
public static class Advantages
{
    /// <summary>The reward less the group's mean (Shao et al. 2024).</summary>
    /// <param name="rewards">One entry a completion; null where the judge gave no score.</param>
    /// <param name="normalise">
    /// Whether to divide by the group's standard deviation (n - 1) plus 1e-4 as GRPO does; Dr. GRPO (Liu et al. 2025) does not,
    /// because it favours prompts that are nearly always or nearly never solved.
    /// </param>
    /// <returns>
    /// One entry a completion: null where there was no reward (leave such a completion out), zero for all where the rewards are
    /// equal or only one is there. The others sum to zero.
    /// </returns>
    /// <exception cref="ArgumentException">A reward is not finite.</exception>
    public static double?[] Of(IReadOnlyList<double?> rewards, bool normalise = false)
    {
        ArgumentNullException.ThrowIfNull(rewards);
        double[] scored = [.. rewards.OfType<double>()];
        if (!scored.All(double.IsFinite)) throw new ArgumentException("A reward is not finite; pass null for a completion without a score.", nameof(rewards));
        if (scored.Length == 0) return new double?[rewards.Count];
        // Equal rewards carry no signal; their mean may differ from them by rounding, which must not be blown up.
        if (scored.Max() == scored.Min()) return [.. rewards.Select(reward => reward is null ? (double?)null : 0)];
        var mean = scored.Average();
        var scale = normalise ? Math.Sqrt(scored.Sum(reward => (reward - mean) * (reward - mean)) / (scored.Length - 1)) + 1e-4 : 1;
        return [.. rewards.Select(reward => (reward - mean) / scale)];
    }
}
