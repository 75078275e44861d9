using Deliberate.Training.Optimizers;

namespace Deliberate.Training.Sft;

/// <summary>The recipe of supervised fine-tuning. The defaults suit the miniature (some millions of parameters).</summary>
public sealed record SftOptions
{
    /// <summary>Passes over the rows; a fraction ends within a pass.</summary>
    public double Epochs { get; init; } = 2;

    /// <summary>Peak learning rate of AdamW.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Peak learning rate of Muon; used only with <see cref="OptimizerKind.Muon"/>.</summary>
    public double MuonLearningRate { get; init; } = 0.01;

    /// <summary>What moves the block matrices.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    /// <summary>Share of the peak rate at which the cosine ends.</summary>
    public double MinimumShare { get; init; } = 0.05;

    /// <summary>Share of the steps over which the rate rises linearly.</summary>
    public double WarmUpShare { get; init; } = 0.03;

    /// <summary>Tokens in one optimiser step, at least.</summary>
    public int TokensPerStep { get; init; } = 4_096;

    /// <summary>Padded tokens in one forward and backward pass, at most (one row always fits).</summary>
    public int MicroBatchTokens { get; init; } = 4_096;

    /// <summary>Largest norm of the whole gradient.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Decoupled weight decay of AdamW, on every parameter that it trains.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Seed of the order of the rows.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Where checkpoints are written and resumed from; null writes none.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Seconds between checkpoints.</summary>
    public double CheckpointSeconds { get; init; } = 60;

    /// <summary>Compute in bf16; null asks the processor.</summary>
    public bool? Bf16 { get; init; }
}

/// <summary>What one step did.</summary>
/// <param name="Step">Its number, from 1.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Loss">Mean weighted loss before the step, nats a token.</param>
/// <param name="LearningRate">AdamW's rate in this step.</param>
/// <param name="TokensPerSecond">Tokens of this step, context included, over its time.</param>
public sealed record SftProgress(long Step, long Steps, double Loss, double LearningRate, double TokensPerSecond);
