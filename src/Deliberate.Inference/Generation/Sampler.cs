using System.Buffers;
using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>Chooses the next token. Random numbers come from the request's seed and the position alone.</summary>
internal static class Sampler
{
    private const int Lanes = 8;

    // Below this, sorting what is left is cheaper than counting first.
    private const int LargeVocabulary = 8192;

    /// <summary>As below, where tokens that were seen before are penalised; the log-probability is without the penalty. Logits are as before afterwards.</summary>
    public static (int Token, float LogProb) Choose(Span<float> logits, GenerationRequest request, int position, IReadOnlyCollection<int>? seen)
    {
        if (request.RepetitionPenalty == 1 || seen is null) return Choose(logits, request, position);
        var before = new float[seen.Count];
        var at = 0;
        foreach (var token in seen)
        {
            var logit = before[at++] = logits[token];
            logits[token] = logit > 0 ? logit / request.RepetitionPenalty : logit * request.RepetitionPenalty;
        }

        var chosen = Choose(logits, request, position).Token;
        at = 0;
        foreach (var token in seen) logits[token] = before[at++];
        return (chosen, LogProb(logits, chosen));
    }

    /// <summary>A token's log-probability at temperature 1, in nats.</summary>
    public static float LogProb(ReadOnlySpan<float> logits, int token)
    {
        var (_, max) = Largest(logits);
        return logits[token] - max - (float)Math.Log(Weigh(logits, max, 1, default));
    }

    /// <summary>The token and its log-probability at temperature 1, in nats.</summary>
    public static (int Token, float LogProb) Choose(ReadOnlySpan<float> logits, GenerationRequest request, int position)
    {
        var (best, max) = Largest(logits);
        if (request.Temperature <= 0) return (best, -(float)Math.Log(Weigh(logits, max, 1, default)));
        var weights = ArrayPool<float>.Shared.Rent(logits.Length);
        try
        {
            var total = Weigh(logits, max, 1 / request.Temperature, weights);
            var all = request.Temperature == 1 ? total : Weigh(logits, max, 1, default);
            var uniform = Uniform(request.Seed, position);
            var token = request.TopK > 0 || request.TopP < 1 || request.MinP > 0
                ? Restricted(weights.AsSpan(0, logits.Length), total, request, uniform)
                : Free(weights.AsSpan(0, logits.Length), uniform * total);
            return (token, logits[token] - max - (float)Math.Log(all));
        }
        finally
        {
            ArrayPool<float>.Shared.Return(weights);
        }
    }

    // The token at which the running sum of weights passes the target.
    private static int Free(ReadOnlySpan<float> weights, double target)
    {
        // Eight at a time, adding up in the same order as the total was, then one by one.
        double sum = 0;
        var start = 0;
        for (; start + Lanes <= weights.Length; start += Lanes)
        {
            var next = sum + Vector256.Sum(Vector256.Create(weights.Slice(start, Lanes)));
            if (next > target) break;
            sum = next;
        }

        var last = -1;
        for (var i = start; i < weights.Length; i++)
        {
            if (weights[i] == 0) continue;
            last = i;
            sum += weights[i];
            if (sum > target) return i;
        }

        // Rounding can leave the target a hair above the sum: then it is the last token that has any weight.
        for (var i = start - 1; last < 0; i--)
            if (weights[i] > 0) last = i;
        return last;
    }

    private static int Restricted(ReadOnlySpan<float> weights, double total, GenerationRequest request, double uniform)
    {
        // Tokens below this sum to less than what top-p leaves out, so none of them is among the fewest that reach it.
        var floor = weights.Length >= LargeVocabulary ? Floor(weights, request, total) : request.TopK > 0 ? 0 : (float)((1 - request.TopP) * total / weights.Length);
        var keys = new List<long>();
        for (var i = 0; i < weights.Length; i++)
            if (weights[i] >= floor) keys.Add(((long)~BitConverter.SingleToInt32Bits(weights[i]) << 32) | (uint)i); // heaviest first, then lowest id
        keys.Sort();
        var kept = request.TopK > 0 ? Math.Min(request.TopK, keys.Count) : keys.Count;
        if (request.TopK > 0)
        {
            total = 0;
            for (var i = 0; i < kept; i++) total += weights[(int)keys[i]];
        }

        double reached = 0, limit = request.TopP * total;
        for (var i = 0; i < kept; i++)
        {
            reached += weights[(int)keys[i]];
            if (reached >= limit) kept = i + 1;
        }

        // The likeliest token's weight is 1.
        for (; kept > 1 && weights[(int)keys[kept - 1]] < request.MinP; kept--) reached -= weights[(int)keys[kept - 1]];
        double sum = 0, target = uniform * reached;
        for (var i = 0; i < kept; i++)
        {
            sum += weights[(int)keys[i]];
            if (sum > target) return (int)keys[i];
        }

        return (int)keys[kept - 1];
    }

    // A weight that none of the kept tokens is below, by counting weights by their upper 16 bits: a sign, an exponent and 7 bits.
    private static float Floor(ReadOnlySpan<float> weights, GenerationRequest request, double total)
    {
        var counts = ArrayPool<int>.Shared.Rent(1 << 14);
        var sums = ArrayPool<double>.Shared.Rent(1 << 14);
        Array.Clear(counts, 0, 1 << 14);
        Array.Clear(sums, 0, 1 << 14);
        foreach (var weight in weights)
        {
            var bucket = Math.Min(BitConverter.SingleToInt32Bits(weight) >> 16, (1 << 14) - 1);
            counts[bucket]++;
            sums[bucket] += weight;
        }

        var (count, mass, at) = (0, 0.0, (1 << 14) - 1);
        for (; at > 0; at--)
        {
            count += counts[at];
            mass += sums[at];
            // A hair more than is needed, since this sum is in another order.
            if (request.TopK > 0 ? count >= request.TopK : mass >= request.TopP * total * 1.000001) break;
        }

        ArrayPool<int>.Shared.Return(counts);
        ArrayPool<double>.Shared.Return(sums);
        return MathF.Max(BitConverter.Int32BitsToSingle(at << 16), MathF.Min(request.MinP, 1) * 0.999f);
    }

    private static (int Index, float Value) Largest(ReadOnlySpan<float> logits)
    {
        var best = 0;
        if (logits.Length >= Lanes)
        {
            var max = Vector256.Create(logits);
            for (var i = Lanes; i + Lanes <= logits.Length; i += Lanes) max = Vector256.MaxNative(max, Vector256.Create(logits.Slice(i, Lanes)));
            var largest = float.NegativeInfinity;
            for (var i = 0; i < Lanes; i++) largest = MathF.Max(largest, max[i]);
            for (var i = logits.Length / Lanes * Lanes; i < logits.Length; i++) largest = MathF.Max(largest, logits[i]);
            best = Math.Max(0, logits.IndexOf(largest));
            return (best, logits[best]);
        }

        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best]) best = i;
        return (best, logits[best]);
    }

    // The weights e^((l - max) * inverse temperature), kept where there is room for them, and their sum.
    private static double Weigh(ReadOnlySpan<float> logits, float max, float inverse, Span<float> weights)
    {
        var (shift, factor) = (Vector256.Create(max), Vector256.Create(inverse));
        double total = 0;
        var i = 0;
        for (; i + Lanes <= logits.Length; i += Lanes)
        {
            var weight = VectorMath.Exp((Vector256.Create(logits.Slice(i, Lanes)) - shift) * factor);
            if (weights.Length > 0) weight.CopyTo(weights.Slice(i, Lanes));
            total += Vector256.Sum(weight);
        }

        for (; i < logits.Length; i++)
        {
            var weight = MathF.Exp((logits[i] - max) * inverse);
            if (weights.Length > 0) weights[i] = weight;
            total += weight;
        }

        return total;
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
