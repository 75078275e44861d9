using Deliberate.Reports;

namespace Deliberate.Server.Report;

/// <summary>A checkpoint of reinforcement learning, measured on validation prompts.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Step">Its step.</param>
/// <param name="Withheld">See <see cref="CheckpointCurves.Withheld"/>.</param>
/// <param name="Answered">See <see cref="CheckpointCurves.Answered"/>.</param>
public sealed record Checkpoint(string Arm, double Step, Checkpoint.Share Withheld, Checkpoint.Share Answered)
{
    /// <summary>A share, its 95 % interval, and of how many prompts it is; runs of earlier versions do not say that.</summary>
    public readonly record struct Share(double Value, double Low, double High, int? N = null)
    {
        /// <inheritdoc/>
        public override string ToString() => $"{Numbers.Percent(Value)} ({Numbers.Percent(Low, High)}{(N is { } n ? $", n {Numbers.Short(n)}" : "")})";

        internal static Share Of(IReadOnlyList<double> point) => new(point[1], point[2], point[3], point.Count > 4 ? (int)point[4] : null);
    }

    /// <summary>The checkpoints that curves hold, arm by arm in the order of their steps.</summary>
    public static IReadOnlyList<Checkpoint> Of(IReadOnlyList<ReportCurve> curves) =>
        [.. from withheld in curves
            where withheld.Name == CheckpointCurves.Withheld
            let answered = curves.FirstOrDefault(curve => curve.Name == CheckpointCurves.Answered && curve.Arm == withheld.Arm)?.Points.Where(IsWhole).ToLookup(point => point[0])
            where answered is not null
            from point in withheld.Points
            where IsWhole(point) && answered.Contains(point[0])
            let other = answered[point[0]].First()
            select new Checkpoint(withheld.Arm, point[0], Share.Of(point), Share.Of(other))];

    /// <summary>Whether no other of these is at least as good in both and better in one.</summary>
    public bool IsOnFront(IEnumerable<Checkpoint> others) => !others.Any(other =>
        other.Withheld.Value >= Withheld.Value && other.Answered.Value >= Answered.Value && (other.Withheld.Value > Withheld.Value || other.Answered.Value > Answered.Value));

    private static bool IsWhole(IReadOnlyList<double> point) => point.Count >= 4 && point.All(double.IsFinite);
}
