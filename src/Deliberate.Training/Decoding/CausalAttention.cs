using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>Causal attention in which several neighbouring query heads share one key and value head.</summary>
internal static class CausalAttention
{
    /// <summary>The longest rows for which whole score matrices are kept; beyond that they take more memory than they save time.</summary>
    public const long LongestGrouped = 1_024;

    private const long QueryBlock = 256;

    /// <summary>
    /// Scores as whole matrices, one per key head: the queries that share it are stacked, so that keys and values are never
    /// repeated. On a processor this is several times as fast as libtorch's fused attention for rows of some hundred tokens,
    /// whose backward pass does not use the matrix units.
    /// </summary>
    /// <param name="q">(B, T, heads, dim)</param>
    /// <param name="k">(B, T, kv heads, dim)</param>
    /// <param name="v">(B, T, kv heads, dim)</param>
    /// <param name="mask">From <see cref="Mask"/>.</param>
    /// <returns>(B, T, heads * dim)</returns>
    public static Tensor Grouped(Tensor q, Tensor k, Tensor v, Tensor mask)
    {
        var (batch, length, heads, dim) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3]);
        var (kvHeads, groups) = (k.shape[2], heads / k.shape[2]);
        // Row t * groups + j of a matrix is head j of the group at position t.
        q = (q * (1 / Math.Sqrt(dim))).view(batch, length, kvHeads, groups * dim).transpose(1, 2).reshape(batch * kvHeads, length * groups, dim);
        k = k.transpose(1, 2).reshape(batch * kvHeads, length, dim);
        v = v.transpose(1, 2).reshape(batch * kvHeads, length, dim);
        var scores = bmm(q, k.transpose(1, 2)).add_(mask); // (B * kv heads, T * groups, T); in place: its own value is not needed again
        return bmm(F.softmax(scores, -1), v).view(batch, kvHeads, length, groups * dim).transpose(1, 2).reshape(batch, length, heads * dim);
    }

    /// <summary>What is added to the scores of <see cref="Grouped"/>: minus infinity where a key comes after its query. (T * groups, T)</summary>
    public static Tensor Mask(long length, long groups, ScalarType type, Device? device = null) =>
        full([length, length], float.NegativeInfinity, type, device).triu(1).repeat_interleave(groups, 0);

    /// <summary>
    /// As <see cref="Grouped"/>, for rows of any length: some queries at a time see the keys that they may see and no others, so that
    /// neither the upper half of the scores is computed nor what lies before a window.
    /// </summary>
    /// <param name="q">(B, T, heads, dim)</param>
    /// <param name="k">(B, T, kv heads, dim)</param>
    /// <param name="v">(B, T, kv heads, dim)</param>
    /// <param name="scale">Multiplies the scores.</param>
    /// <param name="softcap">Scores become c * tanh(score / c); null leaves them.</param>
    /// <param name="window">How many positions a query sees, itself among them; null for all before it.</param>
    /// <param name="masks">Where masks are kept.</param>
    /// <returns>(B, T, heads * dim)</returns>
    public static Tensor Blocked(Tensor q, Tensor k, Tensor v, double scale, double? softcap, int? window, AttentionMasks masks)
    {
        var (batch, length, heads, dim) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3]);
        var (kvHeads, groups) = (k.shape[2], heads / k.shape[2]);
        q = (q * scale).view(batch, length, kvHeads, groups * dim).transpose(1, 2).reshape(batch * kvHeads, length * groups, dim);
        k = k.transpose(1, 2).reshape(batch * kvHeads, length, dim);
        v = v.transpose(1, 2).reshape(batch * kvHeads, length, dim);
        var parts = new List<Tensor>();
        for (var start = 0L; start < length; start += QueryBlock)
        {
            var count = Math.Min(QueryBlock, length - start);
            var from = window is { } seen ? Math.Max(0, start - seen + 1) : 0;
            var keys = start + count - from;
            var scores = bmm(q.narrow(1, start * groups, count * groups), k.narrow(1, from, keys).transpose(1, 2));
            if (softcap is { } cap) scores = (scores / cap).tanh() * cap;
            scores = scores.add_(masks.Of(count, start - from, window, groups, q.dtype, q.device));
            parts.Add(bmm(F.softmax(scores, -1), v.narrow(1, from, keys)));
        }

        var attended = parts.Count == 1 ? parts[0] : cat(parts, 1);
        return attended.view(batch, kvHeads, length, groups * dim).transpose(1, 2).reshape(batch, length, heads * dim);
    }

    /// <summary>The same by libtorch's own operator. Shapes as in <see cref="Grouped"/>.</summary>
    public static Tensor Plain(Tensor q, Tensor k, Tensor v)
    {
        var groups = q.shape[2] / k.shape[2];
        return F.scaled_dot_product_attention(q.transpose(1, 2), Repeat(k, groups), Repeat(v, groups), is_casual: true).transpose(1, 2).flatten(2);
    }

    // (B, T, kv heads, dim) -> (B, heads, T, dim)
    private static Tensor Repeat(Tensor x, long groups)
    {
        x = x.transpose(1, 2);
        return groups == 1 ? x : x.unsqueeze(2).expand(x.shape[0], x.shape[1], groups, x.shape[2], x.shape[3]).reshape(x.shape[0], x.shape[1] * groups, x.shape[2], x.shape[3]);
    }
}
