using Deliberate.Reports;
using Deliberate.Runs.Store;

namespace Deliberate.Server.Dashboard.Runs;

/// <summary>What the list of runs tells of one.</summary>
/// <param name="Run">The run.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Started">When it began.</param>
/// <param name="Samples">Samples, and how many of them are trained on.</param>
/// <param name="Use">What it asked of endpoints; null: nothing.</param>
/// <param name="Curve">The curve that tells most; null: none yet.</param>
public sealed record RunCard(RunPlace Run, RunState State, DateTime Started, (int Made, int Kept) Samples, RunUse? Use, ReportCurve? Curve);
