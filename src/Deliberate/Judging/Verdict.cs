namespace Deliberate.Judging;

/// <summary>What one run of a judge found.</summary>
/// <param name="Score">From 0 (bad) to 1 (good); null when the run gave no valid verdict: that is no zero, it is nothing.</param>
/// <param name="Reason">The judge's reason, or why there is no score.</param>
/// <param name="Kind">The kind of fault by the judge's own naming; for a verdict without score one of <see cref="VerdictKinds"/>.</param>
public sealed record Verdict(double? Score, string Reason, string? Kind = null)
{
    /// <summary>A verdict without score.</summary>
    public static Verdict Unscored(string kind, string reason) => new(null, reason, kind);
}

/// <summary>Why a run of a judge has no score.</summary>
public static class VerdictKinds
{
    /// <summary>The response holds no verdict, or more than one.</summary>
    public const string Unparsable = "unparsable";

    /// <summary>The score is not between 0 and 1.</summary>
    public const string OutOfRange = "out of range";

    /// <summary>The response was cut at its token limit.</summary>
    public const string Truncated = "truncated";

    /// <summary>No response came in time.</summary>
    public const string TimedOut = "timed out";

    /// <summary>The call failed.</summary>
    public const string Failed = "failed";
}
