using System.Text.Json.Serialization;

namespace Deliberate.Judging;

/// <summary>What one run of a judge found.</summary>
/// <param name="Score">From 0 (bad) to 1 (good); null when the run gave no valid verdict: that is no zero, it is nothing.</param>
/// <param name="Reason">The judge's reason, or why there is no score.</param>
/// <param name="Kind">The kind of fault by the judge's own naming; for a verdict without score one of <see cref="VerdictKinds"/>.</param>
/// <param name="Criteria">The scores of the single criteria, where the judge gave them.</param>
/// <param name="AgreesWithHint">Whether the judge agrees with what another AI determined; null when it was not asked or did not say.</param>
public sealed record Verdict(
    double? Score,
    string Reason,
    string? Kind = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Criteria? Criteria = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? AgreesWithHint = null)
{
    /// <summary>A verdict without score.</summary>
    public static Verdict Unscored(string kind, string reason) => new(null, reason, kind);
}

/// <summary>A judge's scores of single criteria, each from 0 (bad) to 1 (good), or null where it gave none (paper, section 2.3.2).</summary>
/// <param name="Compliance">Is the right thing done, in the right style?</param>
/// <param name="Correctness">Is what the answer says right?</param>
/// <param name="Helpfulness">Does it help as far as the policy allows?</param>
/// <param name="Thought">Does the thought cite the clauses that decide, rightly, and no others? Null where the judge does not see the thought.</param>
public sealed record Criteria(double? Compliance, double? Correctness, double? Helpfulness, double? Thought = null);

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
