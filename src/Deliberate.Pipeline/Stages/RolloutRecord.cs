using Deliberate.Judging;

namespace Deliberate.Pipeline.Stages;

/// <summary>One rollout as the run's folder keeps it. The judge saw request and answer, never the thinking.</summary>
/// <param name="Step">Step of reinforcement learning.</param>
/// <param name="Prompt">Id of the prompt; the rollouts of one prompt are a group.</param>
/// <param name="Index">Number within the group.</param>
/// <param name="Request">The user's last turn.</param>
/// <param name="Thinking">The chain of thought.</param>
/// <param name="Answer">The answer.</param>
/// <param name="Reward">From 0 to 1; null when unscored.</param>
/// <param name="Advantage">Reward less the group's mean; null when unscored.</param>
/// <param name="Reasons">What the judge's runs said, or how a verifiable reward came about.</param>
internal sealed record RolloutRecord(int Step, string Prompt, int Index, string Request, string Thinking, string Answer, double? Reward, double? Advantage, IReadOnlyList<string> Reasons)
{
    /// <summary>The reasons of a judgement.</summary>
    public static IReadOnlyList<string> ReasonsOf(Judgement? judgement, string? formatReason) =>
        formatReason is not null ? [$"format: {formatReason}"] : judgement is null ? [] : [.. judgement.Verdicts.Select(verdict => verdict.Reason)];
}
