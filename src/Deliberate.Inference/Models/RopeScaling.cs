namespace Deliberate.Inference.Models;

/// <summary>How rotary frequencies are stretched beyond the length a model was first trained for.</summary>
public enum RopeScalingType
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>All positions divided by a factor.</summary>
    Linear,

    /// <summary>Llama 3.1's: long wavelengths divided, short ones kept, a ramp in between.</summary>
    Llama3,

    /// <summary>YaRN (Peng et al., 2023): as a ramp over dimensions, with attention sharpened by a factor.</summary>
    Yarn,
}

/// <summary>The options of one scaling under the names of <c>rope_scaling</c>; those of other types stay at their defaults.</summary>
/// <remarks>Immutable, so thread-safe.</remarks>
public sealed record RopeScaling
{
    /// <summary>No scaling.</summary>
    public static RopeScaling None { get; } = new();

    /// <summary>Which (<c>rope_type</c>).</summary>
    public RopeScalingType Type { get; init; }

    /// <summary>How many times longer (<c>factor</c>).</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Positions before the stretch (<c>original_max_position_embeddings</c>); llama3 and yarn.</summary>
    public int OriginalPositions { get; init; }

    /// <summary>Wavelengths above original / this are divided in full (<c>low_freq_factor</c>); llama3.</summary>
    public double LowFrequency { get; init; }

    /// <summary>Wavelengths below original / this are kept (<c>high_freq_factor</c>); llama3.</summary>
    public double HighFrequency { get; init; }

    /// <summary>Rotations above which a dimension is kept (<c>beta_fast</c>); yarn.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Rotations below which a dimension is divided in full (<c>beta_slow</c>); yarn.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>Whether the ends of the ramp are whole dimensions (<c>truncate</c>); yarn.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>Multiplies cosine and sine (<c>attention_factor</c>, or what <c>mscale</c> and <c>factor</c> make of it); 1 but for yarn.</summary>
    public double AttentionFactor { get; init; } = 1;

    /// <summary>YaRN's factor of attention for a stretch: 0.1 · <paramref name="mscale"/> · ln(<paramref name="factor"/>) + 1.</summary>
    public static double YarnAttention(double factor, double mscale = 1) => factor <= 1 ? 1 : 0.1 * mscale * Math.Log(factor) + 1;
}

/// <summary>The rotary frequencies of one kind of layer.</summary>
/// <param name="Inverse">
/// One angle in radians per position for each pair of dimensions, <c>head_dim / 2</c> of them: at position p, dimensions i and
/// i + head_dim / 2 turn by p · <c>Inverse[i]</c>.
/// </param>
/// <param name="AttentionFactor">Multiplies every cosine and sine.</param>
public sealed record RopeFrequencies(float[] Inverse, float AttentionFactor)
{
    /// <summary>Computes them, in double precision and rounded once.</summary>
    /// <param name="theta">The base.</param>
    /// <param name="headDim">Width of a head, even.</param>
    /// <param name="scaling">How they are stretched.</param>
    public static RopeFrequencies Of(double theta, int headDim, RopeScaling scaling)
    {
        ArgumentNullException.ThrowIfNull(scaling);
        var inverse = new float[headDim / 2];
        var (low, high) = scaling.Type == RopeScalingType.Yarn ? Ramp(theta, headDim, scaling) : (0, 0);
        for (var i = 0; i < inverse.Length; i++)
        {
            var plain = Math.Pow(theta, -2.0 * i / headDim);
            inverse[i] = (float)(scaling.Type switch
            {
                RopeScalingType.Linear => plain / scaling.Factor,
                RopeScalingType.Llama3 => Llama3(plain, scaling),
                RopeScalingType.Yarn => Between(plain, plain / scaling.Factor, Math.Clamp((i - low) / (high - low), 0, 1)),
                _ => plain,
            });
        }

        return new(inverse, (float)scaling.AttentionFactor);
    }

    private static double Between(double from, double to, double share) => from * (1 - share) + to * share;

    private static double Llama3(double plain, RopeScaling scaling)
    {
        var rotations = scaling.OriginalPositions * plain / (2 * Math.PI);
        if (rotations > scaling.HighFrequency) return plain;
        if (rotations < scaling.LowFrequency) return plain / scaling.Factor;
        return Between(plain / scaling.Factor, plain, (rotations - scaling.LowFrequency) / (scaling.HighFrequency - scaling.LowFrequency));
    }

    private static (double Low, double High) Ramp(double theta, int headDim, RopeScaling scaling)
    {
        double Dimension(double rotations) => headDim * Math.Log(scaling.OriginalPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));
        var (low, high) = (Dimension(scaling.BetaFast), Dimension(scaling.BetaSlow));
        if (scaling.Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, headDim - 1));
        return (low, low == high ? high + 0.001 : high);
    }
}
