namespace Deliberate.Server.Dashboard.Samples;

/// <summary>Fates of samples in words.</summary>
public static class SampleFates
{
    private static readonly (string Begins, SampleFate Fate)[] Reasons =
    [
        ("format: ", SampleFate.Format), ("unscored", SampleFate.Unscored), ("scored ", SampleFate.LowScore),
        ("leak: ", SampleFate.Leak), ("a copy", SampleFate.Copy), ("enough", SampleFate.BetterOnes),
    ];

    /// <summary>All of them with the words that links and pages use.</summary>
    public static IReadOnlyList<(SampleFate Fate, string Key, string Title)> All { get; } =
    [
        (SampleFate.Kept, "kept", "kept for training"), (SampleFate.LowScore, "low-score", "rejected: score too low"), (SampleFate.Unscored, "unscored", "rejected: no score from the judge"),
        (SampleFate.Format, "format", "rejected: malformed"), (SampleFate.Leak, "leak", "rejected: the policy shows in it"), (SampleFate.Copy, "copy", "rejected: a copy of a kept sample"),
        (SampleFate.BetterOnes, "better-ones", "rejected: enough better samples"), (SampleFate.Other, "other", "rejected: other reasons"),
        (SampleFate.Judged, "judged", "judged, not selected yet"), (SampleFate.Unjudged, "unjudged", "not judged yet"),
    ];

    /// <summary>The fate for people.</summary>
    public static string Title(this SampleFate fate) => All.First(known => known.Fate == fate).Title;

    /// <summary>The fate for links.</summary>
    public static string Key(this SampleFate fate) => All.First(known => known.Fate == fate).Key;

    /// <summary>The fate with this word; null when there is none.</summary>
    public static SampleFate? Find(string? key) => All.Any(known => known.Key == key) ? All.First(known => known.Key == key).Fate : null;

    /// <summary>The kind of a distiller's reason.</summary>
    public static SampleFate Of(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        foreach (var (begins, fate) in Reasons)
            if (reason.StartsWith(begins, StringComparison.Ordinal)) return fate;
        return SampleFate.Other;
    }
}
