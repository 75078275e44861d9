namespace Deliberate.Inference.Generation;

/// <summary>How the generator keeps a model's matrices in memory. Sums are fp32 always.</summary>
public enum WeightStorage
{
    /// <summary><see cref="Bf16"/> for a large model whose checkpoint bf16 holds exactly, else <see cref="Fp32"/>: nothing is lost.</summary>
    Auto,

    /// <summary>4 bytes a weight (6 where bf16 holds them all exactly: a second copy makes single sequences quick).</summary>
    Fp32,

    /// <summary>2 bytes a weight, widened in registers. Exact for bf16 checkpoints, rounded to nearest for others.</summary>
    Bf16,

    /// <summary>1 byte a weight and an fp32 scale for each 64 inputs of an output: w ≈ q · max|w| / 127. Biases and norms stay fp32.</summary>
#pragma warning disable CA1720 // it is what everyone calls it
    Int8,
#pragma warning restore CA1720
}
