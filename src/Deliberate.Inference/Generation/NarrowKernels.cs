using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>
/// Products of some rows with panels of 16 columns, for processors with 256-bit vectors. There are 16 registers: 12 sums, two
/// vectors of weights and one input fill them, and eight independent sums are what it takes to keep two multiply-adds a cycle
/// going. Every output is one chain of fused multiply-adds over the inputs in order, as in <see cref="WideKernels"/>, so both
/// give the same bits.
/// </summary>
internal static unsafe class NarrowKernels
{
    private const int Panel = 16;
    private const MethodImplOptions Kernel = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining; // a caller would not leave it all registers

    /// <summary>Six rows, one panel.</summary>
    [MethodImpl(Kernel)]
    public static void Six<T>(float* x, int xs, byte* w, float* y, int s, int inputs, bool add, float* scale) where T : struct, IPanelFormat
    {
        Vector256<float> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default;
        Vector256<float> a3 = default, b3 = default, a4 = default, b4 = default, a5 = default, b5 = default;
        float* x0 = x, x1 = x + xs, x2 = x1 + xs, x3 = x2 + xs, x4 = x3 + xs, x5 = x4 + xs;
        var panel = (nint)inputs * Panel * T.Size; // the next one comes from a far cache while this one is used
        for (nint k = 0; k < inputs; k++, w += Panel * T.Size)
        {
            Memory.PrefetchFar(w + panel);
            var (p, q) = (T.Low(w), T.High(w));
            var v = Vector256.Create(x0[k]); a0 = Vector256.FusedMultiplyAdd(v, p, a0); b0 = Vector256.FusedMultiplyAdd(v, q, b0);
            v = Vector256.Create(x1[k]); a1 = Vector256.FusedMultiplyAdd(v, p, a1); b1 = Vector256.FusedMultiplyAdd(v, q, b1);
            v = Vector256.Create(x2[k]); a2 = Vector256.FusedMultiplyAdd(v, p, a2); b2 = Vector256.FusedMultiplyAdd(v, q, b2);
            v = Vector256.Create(x3[k]); a3 = Vector256.FusedMultiplyAdd(v, p, a3); b3 = Vector256.FusedMultiplyAdd(v, q, b3);
            v = Vector256.Create(x4[k]); a4 = Vector256.FusedMultiplyAdd(v, p, a4); b4 = Vector256.FusedMultiplyAdd(v, q, b4);
            v = Vector256.Create(x5[k]); a5 = Vector256.FusedMultiplyAdd(v, p, a5); b5 = Vector256.FusedMultiplyAdd(v, q, b5);
        }

        Store<T>(y, a0, b0, add, scale); Store<T>(y + s, a1, b1, add, scale); Store<T>(y + 2 * s, a2, b2, add, scale);
        Store<T>(y + 3 * s, a3, b3, add, scale); Store<T>(y + 4 * s, a4, b4, add, scale); Store<T>(y + 5 * s, a5, b5, add, scale);
    }

    /// <summary>Four rows, one panel.</summary>
    [MethodImpl(Kernel)]
    public static void Four<T>(float* x, int xs, byte* w, float* y, int s, int inputs, bool add, float* scale) where T : struct, IPanelFormat
    {
        Vector256<float> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        float* x0 = x, x1 = x + xs, x2 = x1 + xs, x3 = x2 + xs;
        var panel = (nint)inputs * Panel * T.Size;
        for (nint k = 0; k < inputs; k++, w += Panel * T.Size)
        {
            Memory.PrefetchFar(w + panel);
            var (p, q) = (T.Low(w), T.High(w));
            var v = Vector256.Create(x0[k]); a0 = Vector256.FusedMultiplyAdd(v, p, a0); b0 = Vector256.FusedMultiplyAdd(v, q, b0);
            v = Vector256.Create(x1[k]); a1 = Vector256.FusedMultiplyAdd(v, p, a1); b1 = Vector256.FusedMultiplyAdd(v, q, b1);
            v = Vector256.Create(x2[k]); a2 = Vector256.FusedMultiplyAdd(v, p, a2); b2 = Vector256.FusedMultiplyAdd(v, q, b2);
            v = Vector256.Create(x3[k]); a3 = Vector256.FusedMultiplyAdd(v, p, a3); b3 = Vector256.FusedMultiplyAdd(v, q, b3);
        }

        Store<T>(y, a0, b0, add, scale); Store<T>(y + s, a1, b1, add, scale); Store<T>(y + 2 * s, a2, b2, add, scale); Store<T>(y + 3 * s, a3, b3, add, scale);
    }

    /// <summary>Two rows, two neighbouring panels.</summary>
    [MethodImpl(Kernel)]
    public static void Two<T>(float* x, int xs, byte* w, float* y, int s, int inputs, bool add, float* scale) where T : struct, IPanelFormat
    {
        Vector256<float> a0 = default, b0 = default, c0 = default, d0 = default, a1 = default, b1 = default, c1 = default, d1 = default;
        float* x0 = x, x1 = x + xs;
        var panel = (nint)inputs * Panel * T.Size;
        var u = w + panel;
        for (nint k = 0; k < inputs; k++, w += Panel * T.Size, u += Panel * T.Size)
        {
            Memory.PrefetchFar(w + 2 * panel);
            Memory.PrefetchFar(u + 2 * panel);
            var (p, q, v) = (T.Low(w), T.High(w), Vector256.Create(x0[k]));
            var (r, t, z) = (T.Low(u), T.High(u), Vector256.Create(x1[k]));
            a0 = Vector256.FusedMultiplyAdd(v, p, a0); b0 = Vector256.FusedMultiplyAdd(v, q, b0);
            c0 = Vector256.FusedMultiplyAdd(v, r, c0); d0 = Vector256.FusedMultiplyAdd(v, t, d0);
            a1 = Vector256.FusedMultiplyAdd(z, p, a1); b1 = Vector256.FusedMultiplyAdd(z, q, b1);
            c1 = Vector256.FusedMultiplyAdd(z, r, c1); d1 = Vector256.FusedMultiplyAdd(z, t, d1);
        }

        Store<T>(y, a0, b0, add, scale); Store<T>(y + Panel, c0, d0, add, scale + Panel); Store<T>(y + s, a1, b1, add, scale); Store<T>(y + s + Panel, c1, d1, add, scale + Panel);
    }

    /// <summary>One row, four neighbouring panels.</summary>
    [MethodImpl(Kernel)]
    public static void OneByFour<T>(float* x, byte* w, float* y, int inputs, bool add, float* scale) where T : struct, IPanelFormat
    {
        Vector256<float> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        var panel = (nint)inputs * Panel * T.Size;
        byte* w1 = w + panel, w2 = w1 + panel, w3 = w2 + panel;
        for (nint k = 0, at = 0; k < inputs; k++, at += Panel * T.Size)
        {
            Memory.Prefetch(w + at + 512);
            Memory.Prefetch(w1 + at + 512);
            Memory.Prefetch(w2 + at + 512);
            Memory.Prefetch(w3 + at + 512);
            var v = Vector256.Create(x[k]);
            a0 = Vector256.FusedMultiplyAdd(v, T.Low(w + at), a0); b0 = Vector256.FusedMultiplyAdd(v, T.High(w + at), b0);
            a1 = Vector256.FusedMultiplyAdd(v, T.Low(w1 + at), a1); b1 = Vector256.FusedMultiplyAdd(v, T.High(w1 + at), b1);
            a2 = Vector256.FusedMultiplyAdd(v, T.Low(w2 + at), a2); b2 = Vector256.FusedMultiplyAdd(v, T.High(w2 + at), b2);
            a3 = Vector256.FusedMultiplyAdd(v, T.Low(w3 + at), a3); b3 = Vector256.FusedMultiplyAdd(v, T.High(w3 + at), b3);
        }

        Store<T>(y, a0, b0, add, scale); Store<T>(y + Panel, a1, b1, add, scale + Panel); Store<T>(y + 2 * Panel, a2, b2, add, scale + 2 * Panel); Store<T>(y + 3 * Panel, a3, b3, add, scale + 3 * Panel);
    }

    /// <summary>One row, one panel.</summary>
    [MethodImpl(Kernel)]
    public static void One<T>(float* x, byte* w, float* y, int inputs, bool add, float* scale) where T : struct, IPanelFormat
    {
        Vector256<float> a = default, b = default;
        for (nint k = 0; k < inputs; k++, w += Panel * T.Size)
        {
            var v = Vector256.Create(x[k]);
            a = Vector256.FusedMultiplyAdd(v, T.Low(w), a);
            b = Vector256.FusedMultiplyAdd(v, T.High(w), b);
        }

        Store<T>(y, a, b, add, scale);
    }

    /// <summary>One row, 64 columns of bf16 pairs.</summary>
    [MethodImpl(Kernel)]
    public static void OneOfPairs(float* x, uint* w, float* y, int inputs, bool add)
    {
        Vector256<float> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        var upper = Vector256.Create(0xFFFF0000u);
        for (nint k = 0; k < inputs; k++, w += 32)
        {
            Memory.Prefetch(w + 512);
            Memory.Prefetch(w + 528);
            var v = Vector256.Create(x[k]);
            var p = Vector256.Load(w);
            a0 = Vector256.FusedMultiplyAdd(v, Vector256.ShiftLeft(p, 16).AsSingle(), a0);
            b0 = Vector256.FusedMultiplyAdd(v, (p & upper).AsSingle(), b0);
            p = Vector256.Load(w + 8);
            a1 = Vector256.FusedMultiplyAdd(v, Vector256.ShiftLeft(p, 16).AsSingle(), a1);
            b1 = Vector256.FusedMultiplyAdd(v, (p & upper).AsSingle(), b1);
            p = Vector256.Load(w + 16);
            a2 = Vector256.FusedMultiplyAdd(v, Vector256.ShiftLeft(p, 16).AsSingle(), a2);
            b2 = Vector256.FusedMultiplyAdd(v, (p & upper).AsSingle(), b2);
            p = Vector256.Load(w + 24);
            a3 = Vector256.FusedMultiplyAdd(v, Vector256.ShiftLeft(p, 16).AsSingle(), a3);
            b3 = Vector256.FusedMultiplyAdd(v, (p & upper).AsSingle(), b3);
        }

        Store<Fp32Panel>(y, a0, b0, add, null); Store<Fp32Panel>(y + 16, a1, b1, add, null); Store<Fp32Panel>(y + 32, a2, b2, add, null); Store<Fp32Panel>(y + 48, a3, b3, add, null);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(float* y, Vector256<float> a, Vector256<float> b, bool add, float* scale) where T : struct, IPanelFormat
    {
        if (T.Scaled)
        {
            a *= Vector256.Load(scale);
            b *= Vector256.Load(scale + 8);
        }

        if (add)
        {
            a += Vector256.Load(y);
            b += Vector256.Load(y + 8);
        }

        a.Store(y);
        b.Store(y + 8);
    }
}
