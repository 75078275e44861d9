using Deliberate.Inference.Models;
using Xunit;

namespace Deliberate.Inference.Tests.Models;

public sealed class RopeFrequenciesTests
{
    [Fact]
    public void Plain_and_linear_are_powers_of_the_base()
    {
        Assert.Equal([1f, 0.1f, 0.01f, 0.001f], RopeFrequencies.Of(10_000, 8, RopeScaling.None).Inverse);
        Assert.Equal([0.25f, 0.025f, 0.0025f, 0.00025f], RopeFrequencies.Of(10_000, 8, new() { Type = RopeScalingType.Linear, Factor = 4 }).Inverse);
    }

    [Fact]
    public void Llama3_keeps_short_waves_and_divides_long_ones()
    {
        // Wavelengths 2π, 20π, 200π, 2000π against 64: kept below 16, divided above 64, and in between by the ramp.
        var got = RopeFrequencies.Of(10_000, 8, new() { Type = RopeScalingType.Llama3, Factor = 8, OriginalPositions = 64, LowFrequency = 1, HighFrequency = 4 });
        var share = (64 / (20 * Math.PI) - 1) / 3;
        Assert.Equal([1f, (float)((1 - share) * 0.1 / 8 + share * 0.1), 0.01f / 8, 0.001f / 8], got.Inverse);
        Assert.Equal(1, got.AttentionFactor);
    }

    [Fact]
    public void Yarn_is_a_ramp_over_dimensions()
    {
        // Dimensions turning 32 and 1 times in 4096 positions: 8 ln(4096 / 64π) / 2 ln 10000 = 1.309 and 2.814 of 8; the ramp runs from 1 to 3.
        var got = RopeFrequencies.Of(10_000, 8, new() { Type = RopeScalingType.Yarn, Factor = 4, OriginalPositions = 4096, AttentionFactor = RopeScaling.YarnAttention(4) });
        Assert.Equal([1f, 0.1f, (float)(0.01 * 0.5 + 0.01 / 4 * 0.5), 0.001f / 4], got.Inverse);
        Assert.Equal(1.1386294f, got.AttentionFactor);
        Assert.Equal(1, RopeScaling.YarnAttention(1));
    }
}
