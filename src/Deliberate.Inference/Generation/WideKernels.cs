using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>
/// Products of some rows with one panel of 32 columns, for processors with 512-bit vectors (32 registers): up to 16 sums are
/// kept at once. Every output is one chain of fused multiply-adds over the inputs in order.
/// </summary>
internal static unsafe class WideKernels
{
    private const int Panel = 32;
    private const MethodImplOptions Kernel = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining; // a caller would not leave it all registers

    /// <summary>Eight rows.</summary>
    [MethodImpl(Kernel)]
    public static void Eight<T>(float* x, int xs, byte* w, float* y, int s, int inputs, bool add, float* scale) where T : struct, IPanelFormat
    {
        Vector512<float> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        Vector512<float> a4 = default, b4 = default, a5 = default, b5 = default, a6 = default, b6 = default, a7 = default, b7 = default;
        float* x0 = x, x1 = x + xs, x2 = x1 + xs, x3 = x2 + xs, x4 = x3 + xs, x5 = x4 + xs, x6 = x5 + xs, x7 = x6 + xs;
        for (nint k = 0; k < inputs; k++, w += Panel * T.Size)
        {
            var (p, q) = (T.WideLow(w), T.WideHigh(w));
            var v = Vector512.Create(x0[k]); a0 = Vector512.FusedMultiplyAdd(v, p, a0); b0 = Vector512.FusedMultiplyAdd(v, q, b0);
            v = Vector512.Create(x1[k]); a1 = Vector512.FusedMultiplyAdd(v, p, a1); b1 = Vector512.FusedMultiplyAdd(v, q, b1);
            v = Vector512.Create(x2[k]); a2 = Vector512.FusedMultiplyAdd(v, p, a2); b2 = Vector512.FusedMultiplyAdd(v, q, b2);
            v = Vector512.Create(x3[k]); a3 = Vector512.FusedMultiplyAdd(v, p, a3); b3 = Vector512.FusedMultiplyAdd(v, q, b3);
            v = Vector512.Create(x4[k]); a4 = Vector512.FusedMultiplyAdd(v, p, a4); b4 = Vector512.FusedMultiplyAdd(v, q, b4);
            v = Vector512.Create(x5[k]); a5 = Vector512.FusedMultiplyAdd(v, p, a5); b5 = Vector512.FusedMultiplyAdd(v, q, b5);
            v = Vector512.Create(x6[k]); a6 = Vector512.FusedMultiplyAdd(v, p, a6); b6 = Vector512.FusedMultiplyAdd(v, q, b6);
            v = Vector512.Create(x7[k]); a7 = Vector512.FusedMultiplyAdd(v, p, a7); b7 = Vector512.FusedMultiplyAdd(v, q, b7);
        }

        Store<T>(y, a0, b0, add, scale); Store<T>(y + s, a1, b1, add, scale); Store<T>(y + 2 * s, a2, b2, add, scale); Store<T>(y + 3 * s, a3, b3, add, scale);
        Store<T>(y + 4 * s, a4, b4, add, scale); Store<T>(y + 5 * s, a5, b5, add, scale); Store<T>(y + 6 * s, a6, b6, add, scale); Store<T>(y + 7 * s, a7, b7, add, scale);
    }

    /// <summary>Four rows.</summary>
    [MethodImpl(Kernel)]
    public static void Four<T>(float* x, int xs, byte* w, float* y, int s, int inputs, bool add, float* scale) where T : struct, IPanelFormat
    {
        Vector512<float> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        float* x0 = x, x1 = x + xs, x2 = x1 + xs, x3 = x2 + xs;
        for (nint k = 0; k < inputs; k++, w += Panel * T.Size)
        {
            var (p, q) = (T.WideLow(w), T.WideHigh(w));
            var v = Vector512.Create(x0[k]); a0 = Vector512.FusedMultiplyAdd(v, p, a0); b0 = Vector512.FusedMultiplyAdd(v, q, b0);
            v = Vector512.Create(x1[k]); a1 = Vector512.FusedMultiplyAdd(v, p, a1); b1 = Vector512.FusedMultiplyAdd(v, q, b1);
            v = Vector512.Create(x2[k]); a2 = Vector512.FusedMultiplyAdd(v, p, a2); b2 = Vector512.FusedMultiplyAdd(v, q, b2);
            v = Vector512.Create(x3[k]); a3 = Vector512.FusedMultiplyAdd(v, p, a3); b3 = Vector512.FusedMultiplyAdd(v, q, b3);
        }

        Store<T>(y, a0, b0, add, scale); Store<T>(y + s, a1, b1, add, scale); Store<T>(y + 2 * s, a2, b2, add, scale); Store<T>(y + 3 * s, a3, b3, add, scale);
    }

    /// <summary>One row.</summary>
    [MethodImpl(Kernel)]
    public static void One<T>(float* x, byte* w, float* y, int inputs, bool add, float* scale) where T : struct, IPanelFormat
    {
        Vector512<float> a = default, b = default;
        for (nint k = 0; k < inputs; k++, w += Panel * T.Size)
        {
            var v = Vector512.Create(x[k]);
            a = Vector512.FusedMultiplyAdd(v, T.WideLow(w), a);
            b = Vector512.FusedMultiplyAdd(v, T.WideHigh(w), b);
        }

        Store<T>(y, a, b, add, scale);
    }

    /// <summary>One row, four neighbouring panels.</summary>
    [MethodImpl(Kernel)]
    public static void OneByFour<T>(float* x, byte* w, float* y, int inputs, bool add, float* scale) where T : struct, IPanelFormat
    {
        Vector512<float> a0 = default, b0 = default, a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
        var panel = (nint)inputs * Panel * T.Size;
        byte* w1 = w + panel, w2 = w1 + panel, w3 = w2 + panel;
        for (nint k = 0, at = 0; k < inputs; k++, at += Panel * T.Size)
        {
            Memory.Prefetch(w + at + 1024);
            Memory.Prefetch(w1 + at + 1024);
            Memory.Prefetch(w2 + at + 1024);
            Memory.Prefetch(w3 + at + 1024);
            var v = Vector512.Create(x[k]);
            a0 = Vector512.FusedMultiplyAdd(v, T.WideLow(w + at), a0); b0 = Vector512.FusedMultiplyAdd(v, T.WideHigh(w + at), b0);
            a1 = Vector512.FusedMultiplyAdd(v, T.WideLow(w1 + at), a1); b1 = Vector512.FusedMultiplyAdd(v, T.WideHigh(w1 + at), b1);
            a2 = Vector512.FusedMultiplyAdd(v, T.WideLow(w2 + at), a2); b2 = Vector512.FusedMultiplyAdd(v, T.WideHigh(w2 + at), b2);
            a3 = Vector512.FusedMultiplyAdd(v, T.WideLow(w3 + at), a3); b3 = Vector512.FusedMultiplyAdd(v, T.WideHigh(w3 + at), b3);
        }

        Store<T>(y, a0, b0, add, scale); Store<T>(y + Panel, a1, b1, add, scale + Panel); Store<T>(y + 2 * Panel, a2, b2, add, scale + 2 * Panel); Store<T>(y + 3 * Panel, a3, b3, add, scale + 3 * Panel);
    }

    /// <summary>One row, 64 columns of bf16 pairs.</summary>
    [MethodImpl(Kernel)]
    public static void OneOfPairs(float* x, uint* w, float* y, int inputs, bool add)
    {
        Vector512<float> a0 = default, b0 = default, a1 = default, b1 = default;
        var upper = Vector512.Create(0xFFFF0000u);
        for (nint k = 0; k < inputs; k++, w += 32)
        {
            var v = Vector512.Create(x[k]);
            var (p, q) = (Vector512.Load(w), Vector512.Load(w + 16));
            a0 = Vector512.FusedMultiplyAdd(v, Vector512.ShiftLeft(p, 16).AsSingle(), a0);
            b0 = Vector512.FusedMultiplyAdd(v, (p & upper).AsSingle(), b0);
            a1 = Vector512.FusedMultiplyAdd(v, Vector512.ShiftLeft(q, 16).AsSingle(), a1);
            b1 = Vector512.FusedMultiplyAdd(v, (q & upper).AsSingle(), b1);
        }

        Store<Fp32Panel>(y, a0, b0, add, null); Store<Fp32Panel>(y + 32, a1, b1, add, null);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(float* y, Vector512<float> a, Vector512<float> b, bool add, float* scale) where T : struct, IPanelFormat
    {
        if (T.Scaled)
        {
            a *= Vector512.Load(scale);
            b *= Vector512.Load(scale + 16);
        }

        if (add)
        {
            a += Vector512.Load(y);
            b += Vector512.Load(y + 16);
        }

        a.Store(y);
        b.Store(y + 16);
    }
}
