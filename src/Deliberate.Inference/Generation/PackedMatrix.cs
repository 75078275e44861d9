using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>
/// A weight matrix packed for row-blocked multiplication: panels of neighbouring output columns, each with its inputs in order.
/// Every output is summed over the inputs in the same order whatever the number of rows and the width of the machine's vectors,
/// so a row's result never depends on the others.
/// </summary>
internal sealed unsafe class PackedMatrix
{
    /// <summary>Widths of vectors in memory are rounded up to a multiple of this.</summary>
    public const int Granule = 32;

    private const int PairPanel = 64;

    /// <summary>Rows that the machine's kernels multiply at once.</summary>
    public static int TileRows => Vector512.IsHardwareAccelerated ? 8 : 6;

    private readonly bool _wide;
    private readonly int _panel;
    private readonly float[] _data; // (outputs / panel, inputs, panel)
    private uint[]? _pairs; // the same in bf16 for single rows, two columns in one number: (outputs / 64, inputs, 32)

    /// <summary>A matrix of zeros.</summary>
    /// <param name="outputs">Output columns.</param>
    /// <param name="inputs">Inputs.</param>
    /// <param name="wide">Whether to use 512-bit kernels; null asks the machine.</param>
    public PackedMatrix(int outputs, int inputs, bool? wide = null)
    {
        (Outputs, Inputs) = (outputs, inputs);
        _wide = wide ?? Vector512.IsHardwareAccelerated;
        _panel = _wide ? 32 : 16;
        Stride = (outputs + Granule - 1) / Granule * Granule;
        _data = GC.AllocateArray<float>(Stride * inputs, pinned: true);
    }

    public int Outputs { get; }

    public int Inputs { get; }

    /// <summary>Distance between output rows: the outputs rounded up to a whole <see cref="Granule"/>.</summary>
    public int Stride { get; }

    /// <summary>
    /// Packs parts that lie under each other. (outputs of part, inputs) each, row-major. Weights that bf16 holds exactly are
    /// kept in bf16 as well: a single row is bound by reading them, and the result is the same to the bit.
    /// </summary>
    public void Load(params ReadOnlySpan<float[]> parts)
    {
        var output = 0;
        foreach (var part in parts)
            for (var row = 0; row < part.Length / Inputs; row++, output++)
            {
                var target = output / _panel * _panel * Inputs + output % _panel;
                for (var k = 0; k < Inputs; k++) _data[target + k * _panel] = part[row * Inputs + k];
            }

        _pairs = Pairs(_pairs);
    }

    /// <summary>y = x W^T, or y += x W^T. x: (rows, xStride), y: (rows, Stride)</summary>
    public void Multiply(float* x, int xStride, float* y, int rows, bool add)
    {
        fixed (float* data = _data)
        {
            var from = rows == 1 && _pairs is not null ? Stride / PairPanel * PairPanel : 0;
            fixed (uint* pairs = _pairs)
                for (var column = 0; column < from; column += PairPanel)
                {
                    if (_wide) WideKernels.OneOfPairs(x, pairs + (nint)column * Inputs / 2, y + column, Inputs, add);
                    else NarrowKernels.OneOfPairs(x, pairs + (nint)column * Inputs / 2, y + column, Inputs, add);
                }

            if (_wide) Wide(data, x, xStride, y, rows, add, from);
            else Narrow(data, x, xStride, y, rows, add, from);
        }
    }

    // Panels of 64 columns, read from front to back. A number holds a column and the one a vector further.
    private uint[]? Pairs(uint[]? memory)
    {
        foreach (var value in _data)
            if ((BitConverter.SingleToUInt32Bits(value) & 0xFFFF) != 0) return null;
        var vector = _wide ? 16 : 8;
        memory ??= GC.AllocateUninitializedArray<uint>(Stride / PairPanel * PairPanel * Inputs / 2, pinned: true);
        for (var i = 0; i < memory.Length; i++)
        {
            var (panel, k, word) = (i / (PairPanel / 2) / Inputs, i / (PairPanel / 2) % Inputs, i % (PairPanel / 2));
            var column = panel * PairPanel + word / vector * 2 * vector + word % vector;
            memory[i] = (BitConverter.SingleToUInt32Bits(At(column, k)) >> 16) | BitConverter.SingleToUInt32Bits(At(column + vector, k));
        }

        return memory;

        float At(int column, int k) => _data[column / _panel * _panel * Inputs + k * _panel + column % _panel];
    }

    // A panel stays in the nearest cache while all rows pass over it.
    private void Wide(float* data, float* x, int xStride, float* y, int rows, bool add, int from)
    {
        for (var column = from; column < Stride; column += 32)
        {
            var w = data + (nint)column * Inputs;
            var row = 0;
            for (; row + 8 <= rows; row += 8) WideKernels.Eight(x + (nint)row * xStride, xStride, w, y + (nint)row * Stride + column, Stride, Inputs, add);
            for (; row + 4 <= rows; row += 4) WideKernels.Four(x + (nint)row * xStride, xStride, w, y + (nint)row * Stride + column, Stride, Inputs, add);
            for (; row < rows; row++) WideKernels.One(x + (nint)row * xStride, w, y + (nint)row * Stride + column, Inputs, add);
        }
    }

    private void Narrow(float* data, float* x, int xStride, float* y, int rows, bool add, int from)
    {
        // Blocks of six and four cover every number of rows that is even and at least four; two and one do the rest.
        var fours = rows % 6 == 2 && rows >= 8 ? 2 : rows % 6 >= 4 ? 1 : 0;
        var sixes = (rows - 4 * fours) / 6;
        var rest = 6 * sixes + 4 * fours;
        for (var column = 0; column < Stride && rest > 0; column += 16)
        {
            var w = data + (nint)column * Inputs;
            var row = 0;
            for (var i = 0; i < sixes; i++, row += 6) NarrowKernels.Six(x + (nint)row * xStride, xStride, w, y + (nint)row * Stride + column, Stride, Inputs, add);
            for (var i = 0; i < fours; i++, row += 4) NarrowKernels.Four(x + (nint)row * xStride, xStride, w, y + (nint)row * Stride + column, Stride, Inputs, add);
        }

        if (rows - rest >= 2)
        {
            for (var column = 0; column < Stride; column += 32)
                NarrowKernels.Two(x + (nint)rest * xStride, xStride, data + (nint)column * Inputs, y + (nint)rest * Stride + column, Stride, Inputs, add);
            rest += 2;
        }

        for (; rest < rows; rest++)
        {
            var column = from;
            for (; column + 64 <= Stride; column += 64) NarrowKernels.OneByFour(x + (nint)rest * xStride, data + (nint)column * Inputs, y + (nint)rest * Stride + column, Inputs, add);
            for (; column < Stride; column += 16) NarrowKernels.One(x + (nint)rest * xStride, data + (nint)column * Inputs, y + (nint)rest * Stride + column, Inputs, add);
        }
    }
}
