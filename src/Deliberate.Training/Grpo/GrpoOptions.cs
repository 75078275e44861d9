using Deliberate.Training.Lora;

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

/// <summary>The losses that TRL names with <c>loss_type</c>.</summary>
public enum GrpoLoss
{
    /// <summary>The mean over a rollout's tokens, then over rollouts.</summary>
    Grpo,

    /// <summary>The mean over the tokens of a batch.</summary>
    Bnpo,

    /// <summary>The sum over tokens by rollouts and longest length.</summary>
    DrGrpo,

    /// <summary>The mean over the tokens of the whole step; where a step is one batch, the same as <see cref="Bnpo"/>.</summary>
    Dapo,
}

/// <summary>What a probability ratio is taken of (TRL's <c>importance_sampling_level</c>).</summary>
public enum ImportanceLevel
{
    /// <summary>Each token.</summary>
    Token,

    /// <summary>A whole rollout: the geometric mean of its tokens' ratios (GSPO, Zheng et al. 2025).</summary>
    Sequence,
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

    /// <summary>What the probability ratio is taken of.</summary>
    public ImportanceLevel Importance { get; init; } = ImportanceLevel.Token;

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

    /// <summary>AdamW's decay of the mean gradient.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the mean square.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Added to AdamW's denominator.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Low-rank adapters to train instead of the model's own weights; null trains all of them.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>An adapter to go on from; its own options count, but for how the base is kept. The KL term still holds to the model without it.</summary>
    public LoraAdapter? StartAdapter { get; init; }

    /// <summary>Whether rollouts of a pass lie one after the other in one sequence, each with positions and attention of its own, instead of being padded.</summary>
    public bool Packing { get; init; }

    /// <summary>Whether to compute each block again in the backward pass instead of keeping it; null decides by size.</summary>
    public bool? GradientCheckpointing { get; init; }

    /// <summary>Where to compute: cpu, cuda or cuda:1.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Compute in bf16; null takes the quicker (<see cref="Decoding.Decoder.Choice"/>).</summary>
    public bool? Bf16 { get; init; }

    /// <summary>The same recipe with one of TRL's losses; <see cref="ConstantLength"/> stands for its longest completion in Dr. GRPO.</summary>
    public GrpoOptions WithLoss(GrpoLoss loss) => this with
    {
        Weighting = loss switch { GrpoLoss.Grpo => TokenWeighting.Sequence, GrpoLoss.DrGrpo => TokenWeighting.Constant, _ => TokenWeighting.Batch },
    };
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
