namespace Deliberate.Training.Grpo;

/// <summary>How the losses of tokens become the loss of a step.</summary>
public enum TokenWeighting
{
    /// <summary>Every token counts 1 / (rollouts x <see cref="GrpoOptions.ConstantLength"/>): no bias by length (Dr. GRPO, Liu et al. 2025).</summary>
    Constant,

    /// <summary>The mean over a rollout's tokens, then over rollouts (GRPO, Shao et al. 2024): tokens of long rollouts count less.</summary>
    Sequence,

    /// <summary>The mean over all tokens of the step (DAPO, Yu et al. 2025).</summary>
    Batch,
}

/// <summary>The recipe of reinforcement learning. The defaults suit the miniature (some millions of parameters).</summary>
public sealed record GrpoOptions
{
    /// <summary>Learning rate of AdamW.</summary>
    public double LearningRate { get; init; } = 3e-4;

    /// <summary>Steps over which the rate rises linearly, while the moments settle.</summary>
    public int WarmUpSteps { get; init; } = 3;

    /// <summary>How far below 1 the probability ratio may fall before its gradient stops.</summary>
    public double ClipLow { get; init; } = 0.2;

    /// <summary>How far above 1 the ratio may rise; higher than <see cref="ClipLow"/>, rare tokens can still gain (DAPO).</summary>
    public double ClipHigh { get; init; } = 0.28;

    /// <summary>Weight of the divergence from the starting model; 0 leaves the reference model out altogether.</summary>
    public double KlCoefficient { get; init; }

    /// <summary>Optimiser steps on one batch of rollouts.</summary>
    public int EpochsPerBatch { get; init; } = 1;

    /// <summary>How token losses are averaged.</summary>
    public TokenWeighting Weighting { get; init; } = TokenWeighting.Constant;

    /// <summary>The length that <see cref="TokenWeighting.Constant"/> divides by, in tokens: about that of a completion.</summary>
    public int ConstantLength { get; init; } = 128;

    /// <summary>The temperature that the rollouts were sampled at.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Weight of the mixed-in supervised loss.</summary>
    public double SftWeight { get; init; } = 0.1;

    /// <summary>Padded tokens in one forward and backward pass, at most (one rollout always fits).</summary>
    public int MicroBatchTokens { get; init; } = 4_096;

    /// <summary>Largest norm of the whole gradient.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Decoupled weight decay, on every parameter.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Compute in bf16; null asks the processor.</summary>
    public bool? Bf16 { get; init; }
}

/// <summary>What one call of <see cref="GrpoTrainer.Step"/> did; means are over the tokens trained on, in its last epoch.</summary>
/// <param name="Step">Its number, from 1.</param>
/// <param name="Loss">Policy loss with the KL term, without the supervised part.</param>
/// <param name="MixedLoss">Mean weighted loss of the mixed-in rows, nats a token; null without any.</param>
/// <param name="Kl">Mean estimate (k3) of the divergence from the starting model, nats a token; 0 where the coefficient is 0.</param>
/// <param name="Entropy">Mean entropy of the policy, nats a token.</param>
/// <param name="ClipShare">Share of tokens whose gradient was cut by the ratio's bounds.</param>
/// <param name="GradientNorm">Norm before clipping.</param>
/// <param name="Tokens">Tokens trained on, prompts and mixed-in rows included.</param>
/// <param name="Seconds">Time it took.</param>
public sealed record GrpoStep(long Step, double Loss, double? MixedLoss, double Kl, double Entropy, double ClipShare, double GradientNorm, long Tokens, double Seconds);
