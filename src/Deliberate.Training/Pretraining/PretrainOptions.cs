namespace Deliberate.Training.Pretraining;

/// <summary>The recipe of a pretraining run. Its budget is time: the schedule follows the share of it that is used.</summary>
public sealed record PretrainOptions
{
    /// <summary>Where checkpoints are written and resumed from.</summary>
    public required string CheckpointFolder { get; init; }

    /// <summary>Training time, in minutes, over all resumed parts.</summary>
    public double Minutes { get; init; } = 46;

    /// <summary>Stop after this many steps whatever the time (0: never); progress is then the share of steps.</summary>
    public long Steps { get; init; }

    /// <summary>Tokens in one optimiser step.</summary>
    public int TokensPerStep { get; init; } = 3_072;

    /// <summary>Padded tokens in one forward and backward pass.</summary>
    public int MicroBatchTokens { get; init; } = 3_072;

    /// <summary>Learning rate of AdamW (everything, or without the block matrices where Muon trains those).</summary>
    public double AdamLearningRate { get; init; } = 1.5e-3;

    /// <summary>Learning rate of Muon for the block matrices; 0: AdamW trains them too.</summary>
    public double MuonLearningRate { get; init; }

    /// <summary>Decoupled weight decay of Muon's matrices.</summary>
    public double MuonDecay { get; init; } = 0.3;

    /// <summary>Steps of linear warm-up.</summary>
    public int WarmUpSteps { get; init; } = 50;

    /// <summary>Share of the budget after which the rate falls linearly to zero. It must not fall before lookup is learned.</summary>
    public double DecayFrom { get; init; } = 0.45;

    /// <summary>Largest norm of the whole gradient.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Minutes between checkpoints.</summary>
    public double CheckpointMinutes { get; init; } = 3;

    /// <summary>Parameters to start from; null: those of <see cref="Decoding.LookupInitialisation"/>.</summary>
    public Deliberate.Inference.Models.ModelWeights? Start { get; init; }

    /// <summary>Seed of the starting parameters.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Compute in bf16; null asks the processor.</summary>
    public bool? Bf16 { get; init; }
}

/// <summary>What one step did.</summary>
/// <param name="Step">Its number, from 1.</param>
/// <param name="Progress">Share of the budget used, 0..1.</param>
/// <param name="Loss">Mean weighted loss, nats a token.</param>
/// <param name="Tokens">Tokens trained on so far.</param>
/// <param name="TokensPerSecond">Rate of this step.</param>
/// <param name="Minutes">Training time so far.</param>
public sealed record PretrainProgress(long Step, double Progress, double Loss, long Tokens, double TokensPerSecond, double Minutes);
