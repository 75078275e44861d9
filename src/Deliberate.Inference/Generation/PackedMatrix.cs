using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>
/// A weight matrix packed for row-blocked multiplication: panels of 32 output columns, each with its inputs in order. Every
/// output is summed over the inputs in the same order whatever the number of rows, so a row's result never depends on the others.
/// </summary>
internal sealed unsafe class PackedMatrix
{
    public const int Panel = 32;
    private readonly float[] _data; // (outputs / 32, inputs, 32)

    public PackedMatrix(int outputs, int inputs)
    {
        (Outputs, Inputs) = (outputs, inputs);
        Stride = (outputs + Panel - 1) / Panel * Panel;
        _data = GC.AllocateArray<float>(Stride * inputs + 16, pinned: true);
    }

    public int Outputs { get; }

    public int Inputs { get; }

    /// <summary>Distance between output rows: the outputs rounded up to whole panels.</summary>
    public int Stride { get; }

    /// <summary>Packs parts that lie under each other. (outputs of part, inputs) each, row-major</summary>
    public void Load(params ReadOnlySpan<float[]> parts)
    {
        var output = 0;
        foreach (var part in parts)
            for (var row = 0; row < part.Length / Inputs; row++, output++)
            {
                var target = output / Panel * Panel * Inputs + output % Panel;
                for (var k = 0; k < Inputs; k++) _data[target + k * Panel] = part[row * Inputs + k];
            }
    }

    /// <summary>y = x W^T, or y += x W^T. x: (rows, xStride), y: (rows, Stride)</summary>
    public void Multiply(float* x, int xStride, float* y, int rows, bool add)
    {
        fixed (float* data = _data)
        {
            var row = 0;
            for (; row + 8 <= rows; row += 8)
                for (var panel = 0; panel < Stride; panel += Panel)
                    Eight(x + (long)row * xStride, xStride, data + (long)panel * Inputs, y + (long)row * Stride + panel, add);
            for (; row + 4 <= rows; row += 4)
                for (var panel = 0; panel < Stride; panel += Panel)
                    Four(x + (long)row * xStride, xStride, data + (long)panel * Inputs, y + (long)row * Stride + panel, add);
            for (; row < rows; row++)
                for (var panel = 0; panel < Stride; panel += Panel)
                    One(x + (long)row * xStride, data + (long)panel * Inputs, y + (long)row * Stride + panel, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Eight(float* x, int xs, float* w, float* y, bool add)
    {
        Vector512<float> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        Vector512<float> a4 = default, b4 = default, a5 = default, b5 = default, a6 = default, b6 = default, a7 = default, b7 = default;
        float* x0 = x, x1 = x + xs, x2 = x1 + xs, x3 = x2 + xs, x4 = x3 + xs, x5 = x4 + xs, x6 = x5 + xs, x7 = x6 + xs;
        for (var k = 0; k < Inputs; k++, w += Panel)
        {
            var (p, q) = (Vector512.Load(w), Vector512.Load(w + 16));
            var v = Vector512.Create(x0[k]); a0 = Vector512.FusedMultiplyAdd(v, p, a0); b0 = Vector512.FusedMultiplyAdd(v, q, b0);
            v = Vector512.Create(x1[k]); a1 = Vector512.FusedMultiplyAdd(v, p, a1); b1 = Vector512.FusedMultiplyAdd(v, q, b1);
            v = Vector512.Create(x2[k]); a2 = Vector512.FusedMultiplyAdd(v, p, a2); b2 = Vector512.FusedMultiplyAdd(v, q, b2);
            v = Vector512.Create(x3[k]); a3 = Vector512.FusedMultiplyAdd(v, p, a3); b3 = Vector512.FusedMultiplyAdd(v, q, b3);
            v = Vector512.Create(x4[k]); a4 = Vector512.FusedMultiplyAdd(v, p, a4); b4 = Vector512.FusedMultiplyAdd(v, q, b4);
            v = Vector512.Create(x5[k]); a5 = Vector512.FusedMultiplyAdd(v, p, a5); b5 = Vector512.FusedMultiplyAdd(v, q, b5);
            v = Vector512.Create(x6[k]); a6 = Vector512.FusedMultiplyAdd(v, p, a6); b6 = Vector512.FusedMultiplyAdd(v, q, b6);
            v = Vector512.Create(x7[k]); a7 = Vector512.FusedMultiplyAdd(v, p, a7); b7 = Vector512.FusedMultiplyAdd(v, q, b7);
        }

        var s = Stride;
        Store(y, a0, b0, add); Store(y + s, a1, b1, add); Store(y + 2 * s, a2, b2, add); Store(y + 3 * s, a3, b3, add);
        Store(y + 4 * s, a4, b4, add); Store(y + 5 * s, a5, b5, add); Store(y + 6 * s, a6, b6, add); Store(y + 7 * s, a7, b7, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Four(float* x, int xs, float* w, float* y, bool add)
    {
        Vector512<float> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        float* x0 = x, x1 = x + xs, x2 = x1 + xs, x3 = x2 + xs;
        for (var k = 0; k < Inputs; k++, w += Panel)
        {
            var (p, q) = (Vector512.Load(w), Vector512.Load(w + 16));
            var v = Vector512.Create(x0[k]); a0 = Vector512.FusedMultiplyAdd(v, p, a0); b0 = Vector512.FusedMultiplyAdd(v, q, b0);
            v = Vector512.Create(x1[k]); a1 = Vector512.FusedMultiplyAdd(v, p, a1); b1 = Vector512.FusedMultiplyAdd(v, q, b1);
            v = Vector512.Create(x2[k]); a2 = Vector512.FusedMultiplyAdd(v, p, a2); b2 = Vector512.FusedMultiplyAdd(v, q, b2);
            v = Vector512.Create(x3[k]); a3 = Vector512.FusedMultiplyAdd(v, p, a3); b3 = Vector512.FusedMultiplyAdd(v, q, b3);
        }

        var s = Stride;
        Store(y, a0, b0, add); Store(y + s, a1, b1, add); Store(y + 2 * s, a2, b2, add); Store(y + 3 * s, a3, b3, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void One(float* x, float* w, float* y, bool add)
    {
        Vector512<float> a = default, b = default;
        for (var k = 0; k < Inputs; k++, w += Panel)
        {
            var v = Vector512.Create(x[k]);
            a = Vector512.FusedMultiplyAdd(v, Vector512.Load(w), a);
            b = Vector512.FusedMultiplyAdd(v, Vector512.Load(w + 16), b);
        }

        Store(y, a, b, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* y, Vector512<float> a, Vector512<float> b, bool add)
    {
        if (add)
        {
            a += Vector512.Load(y);
            b += Vector512.Load(y + 16);
        }

        a.Store(y);
        b.Store(y + 16);
    }
}
