using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>Chooses the next token. Random numbers come from the request's seed and the position alone.</summary>
internal static class Sampler
{
    /// <summary>The token and its log-probability at temperature 1. The logits are overwritten.</summary>
    public static (int Token, float LogProb) Choose(Span<float> logits, GenerationRequest request, int position)
    {
        var (best, max) = Largest(logits);
        if (request.Temperature <= 0) return (best, -LogSum(logits, max, 1));
        var token = request.TopK > 0 || request.TopP < 1 ? Restricted(logits, max, request, position) : Free(logits, max, request, position);
        return token;
    }

    private static (int Token, float LogProb) Free(Span<float> logits, float max, GenerationRequest request, int position)
    {
        var logSum = LogSum(logits, max, 1);
        var inverse = 1 / request.Temperature;
        var total = request.Temperature == 1 ? MathF.Exp(logSum) : MathF.Exp(LogSum(logits, max, inverse));
        var target = Uniform(request.Seed, position) * total;
        double sum = 0;
        var last = 0;
        for (var i = 0; i < logits.Length; i++)
        {
            var weight = MathF.Exp((logits[i] - max) * inverse);
            if (weight == 0) continue;
            sum += weight;
            last = i;
            if (sum > target) break;
        }

        return (last, logits[last] - max - logSum);
    }

    private static (int Token, float LogProb) Restricted(Span<float> logits, float max, GenerationRequest request, int position)
    {
        var logSum = LogSum(logits, max, 1);
        var order = new int[logits.Length];
        var weights = new float[logits.Length];
        for (var i = 0; i < order.Length; i++) (order[i], weights[i]) = (i, MathF.Exp((logits[i] - max) / request.Temperature));
        Array.Sort(order, (a, b) => weights[a] != weights[b] ? weights[b].CompareTo(weights[a]) : a.CompareTo(b));
        var kept = request.TopK > 0 ? Math.Min(request.TopK, order.Length) : order.Length;
        double total = 0;
        for (var i = 0; i < kept; i++) total += weights[order[i]];
        double reached = 0, limit = request.TopP * total;
        for (var i = 0; i < kept; i++)
        {
            reached += weights[order[i]];
            if (reached < limit) continue;
            (kept, total) = (i + 1, reached);
        }

        var target = Uniform(request.Seed, position) * total;
        double sum = 0;
        for (var i = 0; i < kept; i++)
        {
            sum += weights[order[i]];
            if (sum > target || i == kept - 1) return (order[i], logits[order[i]] - max - logSum);
        }

        throw new InvalidOperationException("No token is left to sample.");
    }

    private static (int Index, float Value) Largest(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best]) best = i;
        return (best, logits[best]);
    }

    // ln of the sum of e^((l - max) * inverse temperature).
    private static float LogSum(ReadOnlySpan<float> logits, float max, float inverse)
    {
        var sum = Vector512<float>.Zero;
        var (shift, factor) = (Vector512.Create(max), Vector512.Create(inverse));
        var i = 0;
        for (; i + 16 <= logits.Length; i += 16) sum += VectorMath.Exp((Vector512.Create(logits.Slice(i, 16)) - shift) * factor);
        double total = Vector512.Sum(sum);
        for (; i < logits.Length; i++) total += MathF.Exp((logits[i] - max) * inverse);
        return (float)Math.Log(total);
    }

    // splitmix64 of seed and position, as a double in [0, 1).
    private static double Uniform(int seed, int position)
    {
        var z = unchecked((ulong)(uint)seed * 0x9E3779B97F4A7C15UL + (ulong)position * 0xD1B54A32D192ED03UL + 0x632BE59BD9B4E019UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
