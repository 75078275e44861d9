using Deliberate.Training.Lora;

namespace Deliberate.Pipeline.Data;

/// <summary>What rewards answers in reinforcement learning on prompts of files.</summary>
public enum RewardKind
{
    /// <summary>The run's judge, who reads the specification and the answer.</summary>
    Judge,

    /// <summary>The labels of the prompts: what they call unsafe is to be refused, what they call safe to be answered. Deterministic.</summary>
    Labels,
}

/// <summary>How a model of this machine is trained on the examples. Immutable.</summary>
public sealed record TuningOptions
{
    /// <summary>Whether all weights are trained; else low-rank adapters.</summary>
    public bool Full { get; init; }

    /// <summary>Whether the control is trained too, which learns the answers without their thoughts.</summary>
    public bool Instant { get; init; }

    /// <summary>Rank of the adapters.</summary>
    public int Rank { get; init; } = 16;

    /// <summary>Passes over the examples.</summary>
    public double Epochs { get; init; } = 2;

    /// <summary>Peak learning rate of SFT; null takes 2e-4 for adapters and 2e-5 for all weights.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Longer examples are left out, and counted. Tokens, prompt included.</summary>
    public int RowTokens { get; init; } = 1024;

    /// <summary>Tokens of one optimiser step of SFT.</summary>
    public int TokensPerStep { get; init; } = 4096;

    /// <summary>Steps of reinforcement learning; 0 leaves it out.</summary>
    public int RlSteps { get; init; } = 30;

    /// <summary>Prompts of one step.</summary>
    public int RlPrompts { get; init; } = 8;

    /// <summary>Rollouts of each prompt.</summary>
    public int GroupSize { get; init; } = 4;

    /// <summary>Learning rate of reinforcement learning; null takes 1e-4 for adapters and 1e-6 for all weights.</summary>
    public double? RlLearningRate { get; init; }

    /// <summary>Weight of the divergence from the model after SFT.</summary>
    public double Kl { get; init; } = 0.02;

    /// <summary>Most tokens of a rollout.</summary>
    public int RlTokens { get; init; } = 256;

    /// <summary>What rewards answers.</summary>
    public RewardKind Reward { get; init; }

    /// <summary>Where to compute: cpu, cuda or cuda:1.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>The adapters; null for full fine-tuning.</summary>
    internal LoraOptions? Lora(int seed) => Full ? null : new() { Rank = Rank, Alpha = 2 * Rank, Seed = seed };
}
