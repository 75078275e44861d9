using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>Element-wise functions over 8 floats. Each lane's result depends on that lane alone.</summary>
internal static class VectorMath
{
    /// <summary>e^x to about 2 units in the last place for x in [-87, 88]; smaller x give (almost) 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        // The native forms are one instruction each; in this order they let NaN pass.
        x = Vector256.MinNative(Vector256.Create(88f), Vector256.MaxNative(Vector256.Create(-87f), x));
        // x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial, 2^n by the exponent bits.
        var n = Vector256.Floor(Vector256.FusedMultiplyAdd(x, Vector256.Create(1.44269504f), Vector256.Create(0.5f)));
        var r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-0.693359375f), x);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(2.12194440e-4f), r);
        var p = Vector256.Create(1f / 5040);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 720));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 120));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 24));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 6));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(0.5f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256<float>.One);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256<float>.One);
        // Saturation is not needed (n is bounded) and costs several instructions.
        var power = Vector256.ShiftLeft(Vector256.ConvertToInt32Native(n) + Vector256.Create(127), 23).AsSingle();
        return p * power;
    }

    /// <summary>output = silu(gate) * up; the length is a multiple of 16 by padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void SiluTimes(float* gate, float* up, float* output, int length)
    {
        for (var i = 0; i < length; i += 8)
        {
            var g = Vector256.Load(gate + i);
            (g / (Vector256<float>.One + Exp(-g)) * Vector256.Load(up + i)).Store(output + i);
        }
    }

    /// <summary>output = gelu(gate) * up by the tanh approximation (Hendrycks and Gimpel, 2016); the length is a multiple of 16 by padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void GeluTimes(float* gate, float* up, float* output, int length)
    {
        // 0.5 (1 + tanh u) = 1 / (1 + e^-2u)
        var (linear, cubic) = (Vector256.Create(-1.5957691216f), Vector256.Create(-1.5957691216f * 0.044715f));
        for (var i = 0; i < length; i += 8)
        {
            var g = Vector256.Load(gate + i);
            var u = g * Vector256.FusedMultiplyAdd(cubic, g * g, linear);
            (g / (Vector256<float>.One + Exp(u)) * Vector256.Load(up + i)).Store(output + i);
        }
    }

    /// <summary>x = cap * tanh(x / cap); the length is a multiple of 8.</summary>
    public static unsafe void SoftCap(float* x, int length, float cap)
    {
        var (factor, scale) = (Vector256.Create(2 / cap), Vector256.Create(cap));
        for (var i = 0; i < length; i += 8)
        {
            var v = Vector256.Load(x + i);
            var capped = scale - (scale + scale) / (Exp(v * factor) + Vector256<float>.One);
            // Minus infinity is what is not to be seen at all.
            Vector256.ConditionalSelect(Vector256.Equals(v, Vector256.Create(float.NegativeInfinity)), v, capped).Store(x + i);
        }
    }

    /// <summary>RMSNorm in place of a row that is not padded.</summary>
    public static unsafe void RmsNorm(Span<float> x, ReadOnlySpan<float> weight, float eps)
    {
        var scale = 1 / MathF.Sqrt(SquareSum(x) / x.Length + eps);
        for (var i = 0; i < x.Length; i++) x[i] = x[i] * scale * weight[i];
    }

    /// <summary>RMSNorm of one row; the padded length is a multiple of 16 with zeros behind <paramref name="length"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void RmsNorm(float* x, float* weight, float* y, int length, int padded, float eps)
    {
        Vector256<float> sum = default, other = default;
        for (var i = 0; i < padded; i += 16)
        {
            var (v, w) = (Vector256.Load(x + i), Vector256.Load(x + i + 8));
            sum = Vector256.FusedMultiplyAdd(v, v, sum);
            other = Vector256.FusedMultiplyAdd(w, w, other);
        }

        var scale = Vector256.Create(1 / MathF.Sqrt(Vector256.Sum(sum + other) / length + eps));
        for (var i = 0; i < padded; i += 8) (Vector256.Load(x + i) * scale * Vector256.Load(weight + i)).Store(y + i);
    }

    private static float SquareSum(ReadOnlySpan<float> x)
    {
        Vector256<float> sum = default;
        var i = 0;
        for (; i + 8 <= x.Length; i += 8)
        {
            var v = Vector256.Create(x[i..]);
            sum = Vector256.FusedMultiplyAdd(v, v, sum);
        }

        var total = Vector256.Sum(sum);
        for (; i < x.Length; i++) total += x[i] * x[i];
        return total;
    }

    /// <summary>
    /// Rotates the two halves of a vector against each other, as Hugging Face's Llama does. x: (2 * half), cos and sin: (half)
    /// </summary>
    public static unsafe void Rotate(float* x, float* cos, float* sin, int half)
    {
        var i = 0;
        for (; i + 8 <= half; i += 8)
        {
            var (a, b) = (Vector256.Load(x + i), Vector256.Load(x + half + i));
            var (c, s) = (Vector256.Load(cos + i), Vector256.Load(sin + i));
            (a * c - b * s).Store(x + i);
            (b * c + a * s).Store(x + half + i);
        }

        for (; i < half; i++)
        {
            var (a, b) = (x[i], x[half + i]);
            x[i] = a * cos[i] - b * sin[i];
            x[half + i] = b * cos[i] + a * sin[i];
        }
    }
}
