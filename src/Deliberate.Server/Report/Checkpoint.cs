using Deliberate.Reports;

namespace Deliberate.Server.Report;

/// <summary>A checkpoint of reinforcement learning, measured on validation prompts.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Step">Its step.</param>
/// <param name="Withheld">See <see cref="CheckpointCurves.Withheld"/>.</param>
/// <param name="Answered">See <see cref="CheckpointCurves.Answered"/>.</param>
public sealed record Checkpoint(string Arm, double Step, Checkpoint.Share Withheld, Checkpoint.Share Answered)
{
    /// <summary>A share and its 95 % interval.</summary>
    public readonly record struct Share(double Value, double Low, double High);

    /// <summary>The checkpoints that curves hold, arm by arm in the order of their steps.</summary>
    public static IReadOnlyList<Checkpoint> Of(IReadOnlyList<ReportCurve> curves) =>
        [.. from withheld in curves
            where withheld.Name == CheckpointCurves.Withheld
            let answered = curves.FirstOrDefault(curve => curve.Name == CheckpointCurves.Answered && curve.Arm == withheld.Arm)?.Points.Where(IsWhole).ToLookup(point => point[0])
            where answered is not null
            from point in withheld.Points
            where IsWhole(point) && answered.Contains(point[0])
            let other = answered[point[0]].First()
            select new Checkpoint(withheld.Arm, point[0], new(point[1], point[2], point[3]), new(other[1], other[2], other[3]))];

    /// <summary>Whether no other of these is at least as good in both and better in one.</summary>
    public bool IsOnFront(IEnumerable<Checkpoint> others) => !others.Any(other =>
        other.Withheld.Value >= Withheld.Value && other.Answered.Value >= Answered.Value && (other.Withheld.Value > Withheld.Value || other.Answered.Value > Answered.Value));

    private static bool IsWhole(IReadOnlyList<double> point) => point.Count >= 4 && point.All(double.IsFinite);
}
