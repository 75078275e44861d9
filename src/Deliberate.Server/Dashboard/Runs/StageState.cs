namespace Deliberate.Server.Dashboard.Runs;

/// <summary>How far a stage is.</summary>
public enum StageProgressKind
{
    /// <summary>Not begun.</summary>
    Waiting,

    /// <summary>At work now.</summary>
    Running,

    /// <summary>Begun, and nobody works on it: the same command goes on.</summary>
    Stopped,

    /// <summary>Done.</summary>
    Done,
}

/// <summary>Where a stage of a run stands.</summary>
/// <param name="Name">The stage.</param>
/// <param name="Arm">The arm it works for; null when all share it.</param>
/// <param name="Kind">How far it is.</param>
/// <param name="Items">Items done; null when it does not count any.</param>
/// <param name="Unit">What is counted.</param>
/// <param name="Rate">Items a second; null when unknown.</param>
/// <param name="Seconds">What it took; null when unknown.</param>
public sealed record StageState(string Name, string? Arm, StageProgressKind Kind, long? Items = null, string Unit = "items", double? Rate = null, double? Seconds = null);

/// <summary>Where a run stands.</summary>
/// <param name="IsAlive">Whether a process holds its folder.</param>
/// <param name="IsFinished">Whether its last stage is done.</param>
/// <param name="Stages">Its stages in order.</param>
public sealed record RunState(bool IsAlive, bool IsFinished, IReadOnlyList<StageState> Stages)
{
    /// <summary>The stage at work, or where a stopped run stopped; null when all is done.</summary>
    public StageState? Current => Stages.FirstOrDefault(stage => stage.Kind is StageProgressKind.Running or StageProgressKind.Stopped)
        ?? Stages.FirstOrDefault(stage => stage.Kind == StageProgressKind.Waiting);

    /// <summary>"running", "finished" or "stopped".</summary>
    public string Word => IsAlive ? "running" : IsFinished ? "finished" : "stopped";
}
