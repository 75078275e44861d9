using System.Runtime.Intrinsics;
using Deliberate.Inference.Models;

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

    /// <summary>Columns are cut into parts at multiples of this.</summary>
    public const int Cut = 128;

    /// <summary>Inputs that share an int8 scale.</summary>
    public const int Group = 64;

    private const int PairPanel = 64;

    /// <summary>Rows that the machine's kernels multiply at once.</summary>
    public static int TileRows => Vector512.IsHardwareAccelerated ? 8 : 6;

    private readonly WeightStorage _storage;
    private readonly bool _wide;
    private readonly int _panel, _size;
    private readonly AlignedMemory _data; // (outputs / panel, inputs, panel); int8: that for each group of inputs
    private readonly AlignedMemory? _scales; // int8: (groups, Stride)
    private uint[]? _pairs; // fp32: the same in bf16 for single rows, two columns in one number: (outputs / 64, inputs, 32)

    /// <summary>A matrix of zeros.</summary>
    /// <param name="outputs">Output columns.</param>
    /// <param name="inputs">Inputs.</param>
    /// <param name="storage">How weights are kept; not <see cref="WeightStorage.Auto"/>.</param>
    /// <param name="wide">Whether to use 512-bit kernels; null asks the machine.</param>
    public PackedMatrix(int outputs, int inputs, WeightStorage storage = WeightStorage.Fp32, bool? wide = null)
    {
        (Outputs, Inputs, _storage) = (outputs, inputs, storage);
        _wide = wide ?? Vector512.IsHardwareAccelerated;
        _panel = _wide ? 32 : 16;
        _size = storage switch { WeightStorage.Fp32 => Fp32Panel.Size, WeightStorage.Bf16 => Bf16Panel.Size, _ => Int8Panel.Size };
        Stride = (outputs + Granule - 1) / Granule * Granule;
        _data = new((long)Stride * inputs * _size);
        if (storage == WeightStorage.Int8) _scales = new((long)Stride * ((inputs + Group - 1) / Group) * sizeof(float));
    }

    public int Outputs { get; }

    public int Inputs { get; }

    /// <summary>Distance between output rows: the outputs rounded up to a whole <see cref="Granule"/>.</summary>
    public int Stride { get; }

    /// <summary>The same matrix for the tokens of prompts, where that is quicker; else null.</summary>
    public IPromptMatrix? Prompts { get; private set; }

    /// <summary>Bytes of the weights in memory.</summary>
    public long Bytes => _data.Length + (_scales?.Length ?? 0) + (_pairs?.Length ?? 0) * 4L;

    /// <summary>Packs parts that lie under each other. (outputs of part, inputs) each, row-major.</summary>
    public void Load(params float[][] parts) => Load((output, values) =>
    {
        var at = output * Inputs;
        foreach (var part in parts)
        {
            if (at < part.Length)
            {
                part.AsSpan(at, Inputs).CopyTo(values);
                return;
            }

            at -= part.Length;
        }
    });

    /// <summary>
    /// Packs all rows. fp32 weights that bf16 holds exactly are kept in bf16 as well: a single row is bound by reading them, and
    /// the result is the same to the bit.
    /// </summary>
    public void Load(MatrixRow read)
    {
        var panels = Stride / _panel;
        var exact = 1;
        void Pack(int panel)
        {
            var rows = new float[_panel * Inputs];
            for (var column = 0; column < _panel && panel * _panel + column < Outputs; column++) read(panel * _panel + column, rows.AsSpan(column * Inputs, Inputs));
            Store(panel, rows);
            if (_storage != WeightStorage.Fp32 || Volatile.Read(ref exact) == 0) return;
            foreach (var value in rows)
                if ((BitConverter.SingleToUInt32Bits(value) & 0xFFFF) != 0)
                {
                    Volatile.Write(ref exact, 0);
                    return;
                }
        }

        if ((long)Stride * Inputs < 1 << 20) for (var panel = 0; panel < panels; panel++) Pack(panel);
        else Parallel.For(0, panels, Pack);
        if (_storage == WeightStorage.Fp32) _pairs = exact == 1 ? Pairs(_pairs) : null;
        Prompts?.Load(Row);
    }

    /// <summary>Has the tokens of prompts multiplied by other means.</summary>
    public void Offer(IPromptMatrices prompts)
    {
        Prompts = prompts.Create(Outputs, Inputs);
        Prompts.Load(Row);
    }

    /// <summary>Reads back one output's weights, as they are computed with.</summary>
    public void Row(int output, Span<float> values)
    {
        var panel = _data.Start + (long)(output / _panel) * _panel * Inputs * _size;
        var column = output % _panel;
        switch (_storage)
        {
            case WeightStorage.Fp32:
                for (var k = 0; k < Inputs; k++) values[k] = ((float*)panel)[k * _panel + column];
                break;
            case WeightStorage.Bf16:
                var at = (ushort*)panel + 2 * (column % (_panel / 2)) + column / (_panel / 2);
                for (var k = 0; k < Inputs; k++) values[k] = BFloat16.ToSingle(at[k * _panel]);
                break;
            default:
                for (var k = 0; k < Inputs; k++) values[k] = *Byte(output, k) * *Scale(output, k);
                break;
        }
    }

    /// <summary>y = x W^T, or y += x W^T. x: (rows, xStride), y: (rows, Stride)</summary>
    public void Multiply(float* x, int xStride, float* y, int rows, bool add) => Multiply(x, xStride, y, rows, add, 0, Stride);

    /// <summary>As above for the columns from <paramref name="from"/> to <paramref name="to"/> alone; multiples of <see cref="Cut"/>, or the end.</summary>
    public void Multiply(float* x, int xStride, float* y, int rows, bool add, int from, int to)
    {
        switch (_storage)
        {
            case WeightStorage.Fp32:
                var rest = rows == 1 && _pairs is not null ? Math.Min(to, Stride / PairPanel * PairPanel) : from;
                fixed (uint* pairs = _pairs)
                    for (var column = from; column < rest; column += PairPanel)
                    {
                        if (_wide) WideKernels.OneOfPairs(x, pairs + (nint)column * Inputs / 2, y + column, Inputs, add);
                        else NarrowKernels.OneOfPairs(x, pairs + (nint)column * Inputs / 2, y + column, Inputs, add);
                    }

                Multiply<Fp32Panel>(x, xStride, y, rows, add, rest, to);
                break;
            case WeightStorage.Bf16: Multiply<Bf16Panel>(x, xStride, y, rows, add, from, to); break;
            default:
                // Group by group, each a matrix of its own; the columns in parts whose sums stay near.
                for (; from < to; from += Cut)
                    for (var k = 0; k < Inputs; k += Group)
                        Multiply<Int8Panel>(x + k, xStride, y, rows, add || k > 0, from, Math.Min(from + Cut, to), k, Math.Min(Group, Inputs - k));
                break;
        }
    }

    // rows: (panel columns, inputs)
    private void Store(int panel, float[] rows)
    {
        var start = _data.Start + (long)panel * _panel * Inputs * _size;
        if (_storage == WeightStorage.Fp32)
        {
            for (var column = 0; column < _panel; column++)
                for (var k = 0; k < Inputs; k++) ((float*)start)[k * _panel + column] = rows[column * Inputs + k];
            return;
        }

        for (var column = 0; column < _panel; column++)
        {
            var row = rows.AsSpan(column * Inputs, Inputs);
            if (_storage == WeightStorage.Bf16)
            {
                var at = (ushort*)start + 2 * (column % (_panel / 2)) + column / (_panel / 2);
                for (var k = 0; k < Inputs; k++) at[k * _panel] = BFloat16.FromSingle(row[k]);
                continue;
            }

            for (var group = 0; group < Inputs; group += Group)
            {
                var part = row[group..Math.Min(group + Group, Inputs)];
                var largest = 0f;
                foreach (var value in part) largest = MathF.Max(largest, MathF.Abs(value));
                var (scale, inverse) = largest == 0 ? (0, 0) : (largest / 127, 127 / largest);
                *Scale(panel * _panel + column, group) = scale;
                for (var k = 0; k < part.Length; k++) *Byte(panel * _panel + column, group + k) = (sbyte)Math.Clamp(MathF.Round(part[k] * inverse), -127, 127);
            }
        }
    }

    private float* Scale(int output, int k) => (float*)_scales!.Start + (long)(k / Group) * Stride + output;

    private sbyte* Byte(int output, int k)
    {
        var group = k / Group * Group;
        return (sbyte*)_data.Start + (long)group * Stride + (long)(output / _panel) * _panel * Math.Min(Group, Inputs - group) + (k - group) * _panel + output % _panel;
    }

    // Panels of 64 columns, read from front to back. A number holds a column and the one a vector further.
    private uint[] Pairs(uint[]? memory)
    {
        var vector = _wide ? 16 : 8;
        memory ??= GC.AllocateUninitializedArray<uint>(Stride / PairPanel * PairPanel * Inputs / 2, pinned: true);
        var data = (float*)_data.Start;
        for (var i = 0; i < memory.Length; i++)
        {
            var (panel, k, word) = (i / (PairPanel / 2) / Inputs, i / (PairPanel / 2) % Inputs, i % (PairPanel / 2));
            var column = panel * PairPanel + word / vector * 2 * vector + word % vector;
            memory[i] = (BitConverter.SingleToUInt32Bits(At(column, k)) >> 16) | BitConverter.SingleToUInt32Bits(At(column + vector, k));
        }

        return memory;

        float At(int column, int k) => data[(long)(column / _panel) * _panel * Inputs + k * _panel + column % _panel];
    }

    private void Multiply<T>(float* x, int xStride, float* y, int rows, bool add, int from, int to, int first = 0, int? inputs = null) where T : struct, IPanelFormat
    {
        var data = _data.Start + (nint)first * Stride * T.Size;
        var scales = T.Scaled ? Scale(0, first) : null;
        if (_wide) Wide<T>(data, x, xStride, y, rows, add, from, to, inputs ?? Inputs, scales);
        else Narrow<T>(data, x, xStride, y, rows, add, from, to, inputs ?? Inputs, scales);
    }

    // A panel stays in the nearest cache while all rows pass over it.
    private void Wide<T>(byte* data, float* x, int xStride, float* y, int rows, bool add, int from, int to, int inputs, float* scales) where T : struct, IPanelFormat
    {
        if (rows == 1)
            for (; from + 128 <= to; from += 128) WideKernels.OneByFour<T>(x, data + (nint)from * inputs * T.Size, y + from, inputs, add, scales + from);
        for (var column = from; column < to; column += 32)
        {
            var w = data + (nint)column * inputs * T.Size;
            var row = 0;
            for (; row + 8 <= rows; row += 8) WideKernels.Eight<T>(x + (nint)row * xStride, xStride, w, y + (nint)row * Stride + column, Stride, inputs, add, scales + column);
            for (; row + 4 <= rows; row += 4) WideKernels.Four<T>(x + (nint)row * xStride, xStride, w, y + (nint)row * Stride + column, Stride, inputs, add, scales + column);
            for (; row < rows; row++) WideKernels.One<T>(x + (nint)row * xStride, w, y + (nint)row * Stride + column, inputs, add, scales + column);
        }
    }

    private void Narrow<T>(byte* data, float* x, int xStride, float* y, int rows, bool add, int from, int to, int inputs, float* scales) where T : struct, IPanelFormat
    {
        // Blocks of six and four cover every number of rows that is even and at least four; two and one do the rest.
        var fours = rows % 6 == 2 && rows >= 8 ? 2 : rows % 6 >= 4 ? 1 : 0;
        var sixes = (rows - 4 * fours) / 6;
        var rest = 6 * sixes + 4 * fours;
        for (var column = from; column < to && rest > 0; column += 16)
        {
            var w = data + (nint)column * inputs * T.Size;
            var row = 0;
            for (var i = 0; i < sixes; i++, row += 6) NarrowKernels.Six<T>(x + (nint)row * xStride, xStride, w, y + (nint)row * Stride + column, Stride, inputs, add, scales + column);
            for (var i = 0; i < fours; i++, row += 4) NarrowKernels.Four<T>(x + (nint)row * xStride, xStride, w, y + (nint)row * Stride + column, Stride, inputs, add, scales + column);
        }

        if (rows - rest >= 2)
        {
            for (var column = from; column < to; column += 32)
                NarrowKernels.Two<T>(x + (nint)rest * xStride, xStride, data + (nint)column * inputs * T.Size, y + (nint)rest * Stride + column, Stride, inputs, add, scales + column);
            rest += 2;
        }

        for (; rest < rows; rest++)
        {
            var column = from;
            for (; column + 64 <= to; column += 64) NarrowKernels.OneByFour<T>(x + (nint)rest * xStride, data + (nint)column * inputs * T.Size, y + (nint)rest * Stride + column, inputs, add, scales + column);
            for (; column < to; column += 16) NarrowKernels.One<T>(x + (nint)rest * xStride, data + (nint)column * inputs * T.Size, y + (nint)rest * Stride + column, inputs, add, scales + column);
        }
    }
}
