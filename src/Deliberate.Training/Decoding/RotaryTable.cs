using Deliberate.Inference.Models;
using static TorchSharp.torch;

namespace Deliberate.Training.Decoding;

/// <summary>Cosines and sines of rotary positions for one kind of layer, for as many positions as were asked for so far.</summary>
/// <remarks>Not thread-safe while it grows.</remarks>
internal sealed class RotaryTable : IDisposable
{
    private readonly double[] _inverse;
    private readonly double _factor;
    private readonly ScalarType _type;
    private readonly Device _device;
    private Tensor? _cos, _sin;

    /// <summary>Prepares for a kind of layer.</summary>
    /// <param name="theta">Base of the frequencies.</param>
    /// <param name="headDim">Width of a head.</param>
    /// <param name="scaling">How they are stretched.</param>
    /// <param name="type">What the tensors hold.</param>
    /// <param name="device">Where they lie.</param>
    public RotaryTable(double theta, int headDim, RopeScaling scaling, ScalarType type, Device device)
    {
        (_type, _device) = (type, device);
        // Unrounded where nothing is stretched, as the miniature was always trained.
        var frequencies = RopeFrequencies.Of(theta, headDim, scaling);
        _inverse = [.. Enumerable.Range(0, headDim / 2).Select(i => scaling.Type == RopeScalingType.None ? Math.Pow(theta, -2.0 * i / headDim) : frequencies.Inverse[i])];
        _factor = frequencies.AttentionFactor;
    }

    /// <summary>Where the tensors lie.</summary>
    public Device Device => _device;

    /// <summary>(positions, dim / 2)</summary>
    public float[] Cos { get; private set; } = [];

    /// <summary>(positions, dim / 2)</summary>
    public float[] Sin { get; private set; } = [];

    /// <summary>Makes room for this many positions.</summary>
    public void Reserve(int positions)
    {
        var half = _inverse.Length;
        if (positions * half <= Cos.Length) return;
        positions = Math.Max(positions, 2 * Cos.Length / half);
        var (cos, sin) = (new float[positions * half], new float[positions * half]);
        for (var at = 0; at < cos.Length; at++)
        {
            var angle = at / half * _inverse[at % half];
            (cos[at], sin[at]) = ((float)(_factor * Math.Cos(angle)), (float)(_factor * Math.Sin(angle)));
        }

        (Cos, Sin) = (cos, sin);
        Dispose();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Tensor Table(float[] values) => tensor(values, [positions, half]).to(_type).to(_device).DetachFromDisposeScope();
        (_cos, _sin) = (Table(cos), Table(sin));
    }

    /// <summary>For rows that begin at position 0, one below the other. -> (1, T, 1, dim / 2) each; T is the sum of the lengths</summary>
    public (Tensor Cos, Tensor Sin) Of(IReadOnlyList<int> lengths)
    {
        Reserve(lengths.Max());
        Tensor Rows(Tensor table) => (lengths.Count == 1 ? table.narrow(0, 0, lengths[0]) : cat([.. lengths.Select(length => table.narrow(0, 0, length))], 0)).unsqueeze(0).unsqueeze(2);
        return (Rows(_cos!), Rows(_sin!));
    }

    /// <summary>Rotates the two halves of each head against each other (the layout of Hugging Face's Llama). (B, T, heads, dim)</summary>
    public static Tensor Rotate(Tensor x, (Tensor Cos, Tensor Sin) table)
    {
        var halves = x.chunk(2, -1);
        return cat([halves[0] * table.Cos - halves[1] * table.Sin, halves[1] * table.Cos + halves[0] * table.Sin], -1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cos?.Dispose();
        _sin?.Dispose();
    }
}
