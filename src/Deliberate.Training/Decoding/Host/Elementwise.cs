using System.Runtime.Intrinsics;

namespace Deliberate.Training.Decoding.Host;

/// <summary>What the decoder does to one token's floats between the matrices, forward and backward, in one pass each.</summary>
internal static unsafe class Elementwise
{
    /// <summary>1 / rms(x)</summary>
    public static float InverseRms(float* x, int length, float eps) => 1 / MathF.Sqrt(VectorMath.Dot(x, x, length) / length + eps);

    /// <summary>y = x / rms(x) * weight, where 1 / rms(x) is known from <see cref="InverseRms"/>.</summary>
    public static void RmsNorm(float* x, float inverse, float* weight, float* y, int length)
    {
        var i = 0;
        for (; i + 8 <= length; i += 8) (Vector256.Load(x + i) * inverse * Vector256.Load(weight + i)).Store(y + i);
        for (; i < length; i++) y[i] = x[i] * inverse * weight[i];
    }

    /// <summary>Adds the gradients of <see cref="RmsNorm"/> to those of its input and its weight.</summary>
    public static void RmsNormBackward(float* x, float inverse, float* weight, float* ySlope, float* xSlope, float* weightSlope, int length)
    {
        var sum = Vector256<float>.Zero;
        var i = 0;
        for (; i + 8 <= length; i += 8) sum = Vector256.FusedMultiplyAdd(Vector256.Load(x + i) * Vector256.Load(weight + i), Vector256.Load(ySlope + i), sum);
        var total = Vector256.Sum(sum);
        for (; i < length; i++) total += x[i] * weight[i] * ySlope[i];
        var along = -total * inverse * inverse * inverse / length; // what x loses because its length does not matter
        for (i = 0; i + 8 <= length; i += 8)
        {
            var (input, slope) = (Vector256.Load(x + i), Vector256.Load(ySlope + i) * inverse);
            (Vector256.Load(xSlope + i) + slope * Vector256.Load(weight + i) + input * along).Store(xSlope + i);
            Vector256.FusedMultiplyAdd(slope, input, Vector256.Load(weightSlope + i)).Store(weightSlope + i);
        }

        for (; i < length; i++)
        {
            xSlope[i] += ySlope[i] * inverse * weight[i] + x[i] * along;
            weightSlope[i] += ySlope[i] * inverse * x[i];
        }
    }

    /// <summary>
    /// Rotates the halves of each head against each other, in place, by the angles of the token's position; direction 1, or -1 to
    /// rotate back, which is what the gradient does. (heads, dim), cos and sin: (dim / 2)
    /// </summary>
    public static void Rotate(float* x, int heads, int dim, float* cos, float* sin, float direction)
    {
        var half = dim / 2;
        for (var head = 0; head < heads; head++, x += dim)
        {
            var i = 0;
            for (; i + 8 <= half; i += 8)
            {
                var (a, b, c, s) = (Vector256.Load(x + i), Vector256.Load(x + half + i), Vector256.Load(cos + i), Vector256.Load(sin + i) * direction);
                (a * c - b * s).Store(x + i);
                (b * c + a * s).Store(x + half + i);
            }

            for (; i < half; i++)
            {
                var (a, b, s) = (x[i], x[half + i], sin[i] * direction);
                x[i] = a * cos[i] - b * s;
                x[half + i] = b * cos[i] + a * s;
            }
        }
    }

    /// <summary>y = silu(gate) * up</summary>
    public static void SwiGlu(float* gate, float* up, float* y, int length)
    {
        var i = 0;
        for (; i + 8 <= length; i += 8)
        {
            var g = Vector256.Load(gate + i);
            (g * VectorMath.Sigmoid(g) * Vector256.Load(up + i)).Store(y + i);
        }

        for (; i < length; i++) y[i] = gate[i] / (1 + MathF.Exp(-gate[i])) * up[i];
    }

    /// <summary>The gradients of <see cref="SwiGlu"/>, and its result once more.</summary>
    public static void SwiGluBackward(float* gate, float* up, float* ySlope, float* y, float* gateSlope, float* upSlope, int length)
    {
        var i = 0;
        for (; i + 8 <= length; i += 8)
        {
            var (g, u, slope) = (Vector256.Load(gate + i), Vector256.Load(up + i), Vector256.Load(ySlope + i));
            var sigmoid = VectorMath.Sigmoid(g);
            var silu = g * sigmoid;
            (silu * u).Store(y + i);
            (slope * silu).Store(upSlope + i);
            (slope * u * (sigmoid + silu * (Vector256<float>.One - sigmoid))).Store(gateSlope + i);
        }

        for (; i < length; i++)
        {
            var sigmoid = 1 / (1 + MathF.Exp(-gate[i]));
            var silu = gate[i] * sigmoid;
            (y[i], upSlope[i], gateSlope[i]) = (silu * up[i], ySlope[i] * silu, ySlope[i] * up[i] * (sigmoid + silu * (1 - sigmoid)));
        }
    }
}
