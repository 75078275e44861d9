namespace Deliberate.Pipeline;

/// <summary>Where a stage stands.</summary>
/// <param name="Stage">"generate", "judge", "distill", "sft", "rl", "eval" or "report".</param>
/// <param name="Arm">The arm it works for, or null when all share it.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all.</param>
/// <param name="Unit">What is counted: "samples", "verdicts", "steps", "answers".</param>
/// <param name="Detail">Current figures in a few words: "loss 0.31", "reward 0.92, kl 0.01".</param>
public sealed record StageProgress(string Stage, string? Arm, int Done, int Total, string Unit, string Detail = "");
