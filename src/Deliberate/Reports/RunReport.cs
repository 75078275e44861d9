using Deliberate.Evaluation;

namespace Deliberate.Reports;

/// <summary>Everything that one run measured: the content of <c>report.json</c>, schema 1.</summary>
public sealed record RunReport
{
    /// <summary>Version of the layout of this file.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>Name of the run: the last part of its folder.</summary>
    public required string Name { get; init; }

    /// <summary>The seed of all randomness.</summary>
    public required int Seed { get; init; }

    /// <summary>The policy that was aligned to.</summary>
    public required ReportPolicy Policy { get; init; }

    /// <summary>The model that was started from.</summary>
    public required ReportBase Base { get; init; }

    /// <summary>The machine and what the run took of it.</summary>
    public required ReportMachine Machine { get; init; }

    /// <summary>What each stage took, in order.</summary>
    public required IReadOnlyList<ReportStage> Stages { get; init; }

    /// <summary>The compared arms with their metrics.</summary>
    public required IReadOnlyList<ReportArm> Arms { get; init; }

    /// <summary>The judge's errors by type: <c>start|end</c> → <c>k1|min4</c> → error type.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Metric>>> Judge { get; init; }

    /// <summary>Alarms that training raised.</summary>
    public required IReadOnlyList<ReportAlarm> Alarms { get; init; }

    /// <summary>Training curves: <c>sft</c>, <c>rl</c>… → points.</summary>
    public IReadOnlyList<ReportCurve> Curves { get; init; } = [];

    /// <summary>The same prompt answered by several arms.</summary>
    public IReadOnlyList<ReportTranscript> Transcripts { get; init; } = [];

    /// <summary>The policy's clauses, for links from citations.</summary>
    public IReadOnlyList<ReportClause> Clauses { get; init; } = [];

    /// <summary>Facts that make the run repeatable: name → value (versions, template, sampling settings, sizes).</summary>
    public IReadOnlyDictionary<string, string> Provenance { get; init; } = new Dictionary<string, string>();

    /// <summary>Plain sentences about what the figures show or fail to show.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A policy folder and its content hash.</summary>
public sealed record ReportPolicy(string Path, string Hash);

/// <summary>The base model's fingerprint and size.</summary>
public sealed record ReportBase(string Fingerprint, long Parameters);

/// <summary>Cores used, wall seconds and peak resident memory in bytes.</summary>
public sealed record ReportMachine(int Cores, double WallSeconds, long PeakMemoryBytes);

/// <summary>One stage of one arm (null: shared by all arms): its time and its items.</summary>
public sealed record ReportStage(string Name, string? Arm, double Seconds, int Items, double ItemsPerSecond);

/// <summary>One arm and its metrics under their documented names.</summary>
public sealed record ReportArm(string Name, IReadOnlyDictionary<string, Metric> Metrics);

/// <summary>An alarm of reinforcement learning: at which step, of which kind, and why.</summary>
public sealed record ReportAlarm(int Step, string Kind, string Detail);

/// <summary>One training curve.</summary>
/// <param name="Arm">The arm it belongs to.</param>
/// <param name="Name">What is plotted: "loss", "reward", "kl", "entropy", "refusals", "length", "oracle", and those of <see cref="CheckpointCurves"/>.</param>
/// <param name="Points">(step, value) in order; a value that was measured on prompts of its own may have the ends of its 95 % interval and the number of prompts behind it.</param>
public sealed record ReportCurve(string Arm, string Name, IReadOnlyList<IReadOnlyList<double>> Points);

/// <summary>One prompt and what each arm made of it.</summary>
public sealed record ReportTranscript(string Prompt, string Kind, string? ExpectedClause, string ExpectedAction, IReadOnlyList<ReportReply> Replies);

/// <summary>One arm's thinking and answer, and whether the oracle finds the answer right.</summary>
public sealed record ReportReply(string Arm, string Thinking, string Answer, bool Correct);

/// <summary>A clause: code, category title and its full text.</summary>
public sealed record ReportClause(string Code, string Category, string Action, string Text);
