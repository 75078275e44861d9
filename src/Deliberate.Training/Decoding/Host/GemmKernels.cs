using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Deliberate.Training.Decoding.Host;

/// <summary>The kernels: one tile each, whose results stay in registers. Rows that do not exist repeat the last one.</summary>
internal static unsafe partial class Gemm
{
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(nint depth, int rows, float* a, nint aRow, nint aDepth, float* b, nint bStride, float* c, nint cStride, bool add)
    {
        Vector256<float> p0 = default, q0 = default, p1 = default, q1 = default, p2 = default, q2 = default;
        Vector256<float> p3 = default, q3 = default, p4 = default, q4 = default, p5 = default, q5 = default;
        var last = rows - 1;
        float* a0 = a, a1 = a + Math.Min(1, last) * aRow, a2 = a + Math.Min(2, last) * aRow, a3 = a + Math.Min(3, last) * aRow, a4 = a + Math.Min(4, last) * aRow, a5 = a + last * aRow;
        // Results and the next panel come from a far cache or from memory while this one is used.
        for (var i = 0; i < 6; i++) Fetch(c + i * cStride);
        var panel = depth * bStride;
        for (nint k = 0; depth > 0; depth--)
        {
            FetchFar(b + panel);
            var (x, y) = (Vector256.Load(b), Vector256.Load(b + 8));
            var v = Vector256.Create(a0[k]); p0 = Vector256.FusedMultiplyAdd(v, x, p0); q0 = Vector256.FusedMultiplyAdd(v, y, q0);
            v = Vector256.Create(a1[k]); p1 = Vector256.FusedMultiplyAdd(v, x, p1); q1 = Vector256.FusedMultiplyAdd(v, y, q1);
            v = Vector256.Create(a2[k]); p2 = Vector256.FusedMultiplyAdd(v, x, p2); q2 = Vector256.FusedMultiplyAdd(v, y, q2);
            v = Vector256.Create(a3[k]); p3 = Vector256.FusedMultiplyAdd(v, x, p3); q3 = Vector256.FusedMultiplyAdd(v, y, q3);
            v = Vector256.Create(a4[k]); p4 = Vector256.FusedMultiplyAdd(v, x, p4); q4 = Vector256.FusedMultiplyAdd(v, y, q4);
            v = Vector256.Create(a5[k]); p5 = Vector256.FusedMultiplyAdd(v, x, p5); q5 = Vector256.FusedMultiplyAdd(v, y, q5);
            b += bStride;
            k += aDepth;
        }

        if (add)
        {
            var r = c;
            p0 += Vector256.Load(r); q0 += Vector256.Load(r + 8); r += cStride;
            p1 += Vector256.Load(r); q1 += Vector256.Load(r + 8); r += cStride;
            p2 += Vector256.Load(r); q2 += Vector256.Load(r + 8); r += cStride;
            p3 += Vector256.Load(r); q3 += Vector256.Load(r + 8); r += cStride;
            p4 += Vector256.Load(r); q4 += Vector256.Load(r + 8); r += cStride;
            p5 += Vector256.Load(r); q5 += Vector256.Load(r + 8);
        }

        p0.Store(c); q0.Store(c + 8); c += cStride;
        p1.Store(c); q1.Store(c + 8); c += cStride;
        p2.Store(c); q2.Store(c + 8); c += cStride;
        p3.Store(c); q3.Store(c + 8); c += cStride;
        p4.Store(c); q4.Store(c + 8); c += cStride;
        p5.Store(c); q5.Store(c + 8);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Wide(nint depth, int rows, float* a, nint aRow, nint aDepth, float* b, nint bStride, float* c, nint cStride, bool add)
    {
        Vector512<float> p0 = default, q0 = default, p1 = default, q1 = default, p2 = default, q2 = default, p3 = default, q3 = default;
        Vector512<float> p4 = default, q4 = default, p5 = default, q5 = default, p6 = default, q6 = default, p7 = default, q7 = default;
        var last = rows - 1;
        float* a0 = a, a1 = a + Math.Min(1, last) * aRow, a2 = a + Math.Min(2, last) * aRow, a3 = a + Math.Min(3, last) * aRow;
        float* a4 = a + Math.Min(4, last) * aRow, a5 = a + Math.Min(5, last) * aRow, a6 = a + Math.Min(6, last) * aRow, a7 = a + last * aRow;
        for (var i = 0; i < 8; i++)
        {
            Fetch(c + i * cStride);
            Fetch(c + i * cStride + 16);
        }

        var panel = depth * bStride;
        for (nint k = 0; depth > 0; depth--)
        {
            FetchFar(b + panel);
            FetchFar(b + panel + 16);
            var (x, y) = (Vector512.Load(b), Vector512.Load(b + 16));
            var v = Vector512.Create(a0[k]); p0 = Vector512.FusedMultiplyAdd(v, x, p0); q0 = Vector512.FusedMultiplyAdd(v, y, q0);
            v = Vector512.Create(a1[k]); p1 = Vector512.FusedMultiplyAdd(v, x, p1); q1 = Vector512.FusedMultiplyAdd(v, y, q1);
            v = Vector512.Create(a2[k]); p2 = Vector512.FusedMultiplyAdd(v, x, p2); q2 = Vector512.FusedMultiplyAdd(v, y, q2);
            v = Vector512.Create(a3[k]); p3 = Vector512.FusedMultiplyAdd(v, x, p3); q3 = Vector512.FusedMultiplyAdd(v, y, q3);
            v = Vector512.Create(a4[k]); p4 = Vector512.FusedMultiplyAdd(v, x, p4); q4 = Vector512.FusedMultiplyAdd(v, y, q4);
            v = Vector512.Create(a5[k]); p5 = Vector512.FusedMultiplyAdd(v, x, p5); q5 = Vector512.FusedMultiplyAdd(v, y, q5);
            v = Vector512.Create(a6[k]); p6 = Vector512.FusedMultiplyAdd(v, x, p6); q6 = Vector512.FusedMultiplyAdd(v, y, q6);
            v = Vector512.Create(a7[k]); p7 = Vector512.FusedMultiplyAdd(v, x, p7); q7 = Vector512.FusedMultiplyAdd(v, y, q7);
            b += bStride;
            k += aDepth;
        }

        if (add)
        {
            var r = c;
            p0 += Vector512.Load(r); q0 += Vector512.Load(r + 16); r += cStride;
            p1 += Vector512.Load(r); q1 += Vector512.Load(r + 16); r += cStride;
            p2 += Vector512.Load(r); q2 += Vector512.Load(r + 16); r += cStride;
            p3 += Vector512.Load(r); q3 += Vector512.Load(r + 16); r += cStride;
            p4 += Vector512.Load(r); q4 += Vector512.Load(r + 16); r += cStride;
            p5 += Vector512.Load(r); q5 += Vector512.Load(r + 16); r += cStride;
            p6 += Vector512.Load(r); q6 += Vector512.Load(r + 16); r += cStride;
            p7 += Vector512.Load(r); q7 += Vector512.Load(r + 16);
        }

        p0.Store(c); q0.Store(c + 16); c += cStride;
        p1.Store(c); q1.Store(c + 16); c += cStride;
        p2.Store(c); q2.Store(c + 16); c += cStride;
        p3.Store(c); q3.Store(c + 16); c += cStride;
        p4.Store(c); q4.Store(c + 16); c += cStride;
        p5.Store(c); q5.Store(c + 16); c += cStride;
        p6.Store(c); q6.Store(c + 16); c += cStride;
        p7.Store(c); q7.Store(c + 16);
    }
}
