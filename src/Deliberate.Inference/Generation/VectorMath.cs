using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>Element-wise functions over 16 floats. Each lane's result depends on that lane alone.</summary>
internal static class VectorMath
{
    /// <summary>e^x to about 2 units in the last place for x in [-87, 88]; smaller x give (almost) 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.Min(Vector512.Max(x, Vector512.Create(-87f)), Vector512.Create(88f));
        // x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial, 2^n by the exponent bits.
        var n = Vector512.Floor(Vector512.FusedMultiplyAdd(x, Vector512.Create(1.44269504f), Vector512.Create(0.5f)));
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        var p = Vector512.Create(1f / 5040);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 720));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 120));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 24));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(1f / 6));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.5f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512<float>.One);
        var power = Vector512.ShiftLeft(Vector512.ConvertToInt32(n) + Vector512.Create(127), 23).AsSingle();
        return p * power;
    }

    /// <summary>gate = silu(gate) * up, in place; the length is rounded up to 16 by padding.</summary>
    public static unsafe void SiluTimes(float* gate, float* up, float* output, int length)
    {
        for (var i = 0; i < length; i += 16)
        {
            var g = Vector512.Load(gate + i);
            (g / (Vector512<float>.One + Exp(-g)) * Vector512.Load(up + i)).Store(output + i);
        }
    }

    /// <summary>RMSNorm of one row; the padded length is a multiple of 16 with zeros behind <paramref name="length"/>.</summary>
    public static unsafe void RmsNorm(float* x, float* weight, float* y, int length, int padded, float eps)
    {
        var sum = Vector512<float>.Zero;
        for (var i = 0; i < padded; i += 16)
        {
            var v = Vector512.Load(x + i);
            sum = Vector512.FusedMultiplyAdd(v, v, sum);
        }

        var scale = Vector512.Create(1 / MathF.Sqrt(Vector512.Sum(sum) / length + eps));
        for (var i = 0; i < padded; i += 16) (Vector512.Load(x + i) * scale * Vector512.Load(weight + i)).Store(y + i);
    }
}
