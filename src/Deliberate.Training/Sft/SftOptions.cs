using Deliberate.Training.Lora;
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

    /// <summary>How the rate falls after the warm-up.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>Share of the peak rate at which cosine and line end.</summary>
    public double MinimumShare { get; init; } = 0.05;

    /// <summary>Share of the steps over which the rate rises linearly.</summary>
    public double WarmUpShare { get; init; } = 0.03;

    /// <summary>
    /// Steps over which the rate rises from zero, as transformers counts them: step i of n has the share i / n, so the first moves
    /// nothing. Null warms up by <see cref="WarmUpShare"/>.
    /// </summary>
    public int? WarmUpSteps { get; init; }

    /// <summary>Rows in one optimiser step; null counts <see cref="TokensPerStep"/>.</summary>
    public int? RowsPerStep { get; init; }

    /// <summary>Whether each pass takes the rows in an order of its own; else they come as given.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Tokens in one optimiser step, at least.</summary>
    public int TokensPerStep { get; init; } = 4_096;

    /// <summary>Tokens in one forward and backward pass, at most, padding included (one row always fits). The loss is normalised over the whole step.</summary>
    public int MicroBatchTokens { get; init; } = 4_096;

    /// <summary>Largest norm of the whole gradient.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Decoupled weight decay of AdamW.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Whether norms and biases decay too; transformers leaves them out.</summary>
    public bool DecayVectors { get; init; } = true;

    /// <summary>AdamW's decay of the mean gradient.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the mean square.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Added to AdamW's denominator.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Low-rank adapters to train instead of the model's own weights; null trains all of them.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>An adapter to go on from; its own options count, but for how the base is kept.</summary>
    public LoraAdapter? StartAdapter { get; init; }

    /// <summary>Whether rows of a pass lie one after the other in one sequence, each with positions and attention of its own, instead of being padded.</summary>
    public bool Packing { get; init; }

    /// <summary>Whether to compute each block again in the backward pass instead of keeping it; null decides by size.</summary>
    public bool? GradientCheckpointing { get; init; }

    /// <summary>Where to compute: cpu, cuda or cuda:1.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Seed of the order of the rows.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Where checkpoints are written and resumed from; null writes none.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Seconds between checkpoints.</summary>
    public double CheckpointSeconds { get; init; } = 60;

    /// <summary>Compute in bf16; null takes the quicker (<see cref="Decoding.Decoder.Choice"/>).</summary>
    public bool? Bf16 { get; init; }
}

/// <summary>What one step did.</summary>
/// <param name="Step">Its number, from 1.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Loss">Mean weighted loss before the step, nats a token.</param>
/// <param name="LearningRate">AdamW's rate in this step.</param>
/// <param name="TokensPerSecond">Tokens of this step, context included, over its time.</param>
public sealed record SftProgress(long Step, long Steps, double Loss, double LearningRate, double TokensPerSecond)
{
    /// <summary>Norm of the whole gradient before clipping.</summary>
    public double GradientNorm { get; init; }
}
