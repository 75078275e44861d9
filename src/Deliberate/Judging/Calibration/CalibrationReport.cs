using System.Text.Json.Serialization;
using Deliberate.Evaluation;

namespace Deliberate.Judging.Calibration;

/// <summary>How a judge agrees with people.</summary>
/// <param name="Judge">The judge: its model, or the rule.</param>
/// <param name="Version">Its way of judging.</param>
/// <param name="Set">The set of answers.</param>
/// <param name="SetHash">The set's hash.</param>
/// <param name="Question">What people were asked.</param>
/// <param name="Threshold">The lowest score that counts as good.</param>
/// <param name="Agreement">Share of the scored answers on which judge and people agree.</param>
/// <param name="Kappa">Cohen's kappa.</param>
/// <param name="FalseGood">Of the answers that people call bad, the share that the judge calls good: what a model that is trained by it gets away with.</param>
/// <param name="FalseBad">Of the answers that people call good, the share that the judge calls bad: what trains a model to refuse.</param>
/// <param name="Codes">Of the answers for which both name a clause, the share where it is the same; null when no judge's verdict names one.</param>
/// <param name="Counts">The four cells.</param>
/// <param name="UnscoredBy">Answers without a score by the kind of the failure.</param>
public sealed record CalibrationReport(
    string Judge,
    string Version,
    string Set,
    string SetHash,
    CalibrationQuestion Question,
    double Threshold,
    Metric Agreement,
    Metric Kappa,
    Metric FalseGood,
    Metric FalseBad,
    Metric? Codes,
    CalibrationCounts Counts,
    IReadOnlyDictionary<string, int> UnscoredBy);

/// <summary>People's word against the judge's.</summary>
/// <param name="Good">Both say good.</param>
/// <param name="FalseBad">People say good, the judge bad.</param>
/// <param name="FalseGood">People say bad, the judge good.</param>
/// <param name="Bad">Both say bad.</param>
/// <param name="Unscored">The judge says nothing.</param>
public sealed record CalibrationCounts(int Good, int FalseBad, int FalseGood, int Bad, int Unscored)
{
    /// <summary>Answers in all.</summary>
    [JsonIgnore]
    public int Total => Good + FalseBad + FalseGood + Bad + Unscored;
}
