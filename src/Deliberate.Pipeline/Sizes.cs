using Deliberate.Training.Grpo;
using Deliberate.Training.Sft;

namespace Deliberate.Pipeline;

/// <summary>How much each stage of a run does.</summary>
internal sealed record Sizes
{
    /// <summary>Prompts that samples are generated for.</summary>
    public required int Prompts { get; init; }

    /// <summary>Share of them outside the policy's categories.</summary>
    public double BenignShare { get; init; } = 0.15;

    /// <summary>Capability prompts: benign, in every wrapper, so that no ability is lost.</summary>
    public required int CapabilityPrompts { get; init; }

    /// <summary>Samples a prompt.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>Temperature of the samples: below 1, since a small model's rarest tokens are its mistakes.</summary>
    public double SampleTemperature { get; init; } = 0.7;

    /// <summary>Temperature of the judge: enough for its runs to differ where it is in doubt.</summary>
    public double JudgeTemperature { get; init; } = 0.5;

    /// <summary>Judge runs a sample; the minimum counts.</summary>
    public required int JudgeRuns { get; init; }

    /// <summary>Requests in any disguise whose reading alone is mixed into fine-tuning, so that it is not forgotten.</summary>
    public required int Readings { get; init; }

    /// <summary>The recipe of fine-tuning.</summary>
    public required SftOptions Sft { get; init; }

    /// <summary>The recipe of reinforcement learning.</summary>
    public GrpoOptions Grpo { get; init; } = new() { LearningRate = 1e-4, KlCoefficient = 0.04, SftWeight = 0.5, ConstantLength = 48 };

    /// <summary>Steps of reinforcement learning.</summary>
    public required int RlSteps { get; init; }

    /// <summary>Prompts a step.</summary>
    public required int RlPrompts { get; init; }

    /// <summary>Prompts that reinforcement learning chooses from.</summary>
    public int RlPool { get; init; } = 1500;

    /// <summary>Held-out validation prompts in each plain suite, watched during reinforcement learning.</summary>
    public int Validation { get; init; } = 24;

    /// <summary>Rollouts a prompt.</summary>
    public int GroupSize { get; init; } = 8;

    /// <summary>Judge runs an answer in reinforcement learning.</summary>
    public int RlJudgeRuns { get; init; } = 2;

    /// <summary>Held-out prompts in each plain suite.</summary>
    public required int SuiteSize { get; init; }

    /// <summary>Held-out prompts that are put in each wrapper.</summary>
    public required int Jailbroken { get; init; }

    /// <summary>Answers of each type of error that the judge is tested with.</summary>
    public required int JudgeTrials { get; init; }

    /// <summary>The sizes of a budget.</summary>
    public static Sizes Of(Budget budget) => budget == Budget.Default
        ? new() { Prompts = 2000, CapabilityPrompts = 100, JudgeRuns = 2, Readings = 5000, Sft = new() { Epochs = 2, LearningRate = 1e-3, TokensPerStep = 2_048 }, RlSteps = 14, RlPrompts = 12, SuiteSize = 120, Jailbroken = 60, JudgeTrials = 40 }
        : new() { Prompts = 160, CapabilityPrompts = 24, JudgeRuns = 1, Readings = 30, Sft = new() { Epochs = 2, LearningRate = 1e-3, TokensPerStep = 2_048 }, RlSteps = 3, RlPrompts = 4, SuiteSize = 24, Jailbroken = 6, JudgeTrials = 6 };
}
