using Deliberate.Inference.Models;

namespace Deliberate.Inference.Generation;

/// <summary>Cosines and sines of the rotary positions of one kind of layer, computed as far as they are used.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class RopeTable
{
    private readonly Lock _lock = new();
    private readonly double[] _inverse;
    private readonly float _factor;
    private volatile float[] _values = []; // (positions, cos and sin, half)

    public RopeTable(ModelConfig config, int layer)
    {
        var frequencies = config.RopeOf(layer)!;
        Half = config.HeadDim / 2;
        _factor = frequencies.AttentionFactor;
        var theta = config.LocalRopeTheta is { } local && config.SlidingLayers.Contains(layer) ? local : config.RopeTheta;
        var plain = config.RopeScaling.Type == RopeScalingType.None || (config.LocalRopeTheta is not null && config.SlidingLayers.Contains(layer));
        // Unscaled ones in double precision; those of a scaling as it rounds them.
        _inverse = [.. frequencies.Inverse.Select((value, i) => plain ? Math.Pow(theta, -2.0 * i / config.HeadDim) : value)];
    }

    /// <summary>Pairs of dimensions of a head.</summary>
    public int Half { get; }

    /// <summary>Cosines, then sines, of each position up to <paramref name="position"/> at least. (positions, 2, half)</summary>
    public float[] Upto(int position)
    {
        var values = _values;
        return position < values.Length / (2 * Half) ? values : Grow(position);
    }

    private float[] Grow(int position)
    {
        lock (_lock)
        {
            var old = _values;
            var have = old.Length / (2 * Half);
            if (position < have) return old;
            var values = new float[Math.Max(2L * have, (position + 256) / 256 * 256L) * 2 * Half];
            old.CopyTo(values, 0);
            for (var p = have; p < values.Length / (2 * Half); p++)
                for (var i = 0; i < Half; i++)
                {
                    var angle = p * _inverse[i];
                    (values[p * 2 * Half + i], values[(p * 2 + 1) * Half + i]) = ((float)(Math.Cos(angle) * _factor), (float)(Math.Sin(angle) * _factor));
                }

            return _values = values;
        }
    }
}
