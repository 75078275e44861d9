using System.Text.Json.Serialization;

namespace Deliberate.Judging;

/// <summary>
/// The verdicts of all runs on one item. Its score is the lowest, because one run may miss what another sees (paper, section 2.3.2).
/// </summary>
/// <param name="Verdicts">The verdicts by run.</param>
/// <param name="RequireAll">Whether a single run without score leaves the whole without one.</param>
public sealed record Judgement(IReadOnlyList<Verdict> Verdicts, bool RequireAll = false)
{
    /// <summary>The lowest score, from 0 to 1; null when the item counts as unscored.</summary>
    [JsonIgnore]
    public double? Min => RequireAll && Unscored > 0 ? null : Verdicts.Min(verdict => verdict.Score);

    /// <summary>The first verdict of the lowest score, or null when no run has one.</summary>
    [JsonIgnore]
    public Verdict? Worst => Verdicts.Where(verdict => verdict.Score is not null).MinBy(verdict => verdict.Score);

    /// <summary>Number of runs with a score.</summary>
    [JsonIgnore]
    public int Scored => Verdicts.Count(verdict => verdict.Score is not null);

    /// <summary>Number of runs without one.</summary>
    [JsonIgnore]
    public int Unscored => Verdicts.Count - Scored;
}
