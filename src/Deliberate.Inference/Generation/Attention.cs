using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>Attention of one new position over a chain of key-value runs. Scratch memory is one worker's own.</summary>
internal sealed unsafe class Attention
{
    // Dimensions that are summed at once: 32 floats of two queries are eight vectors of sums.
    private const int Slice = 32;

    private readonly PackedModel _model;
    private readonly List<Part> _parts = [];
    private float* _scores; // (queries of a key-value head, room)
    private float[] _scoreMemory = [];
    private int _room;

    // Positions From (a whole block) to Count of a page; those before Seen are behind the window. Offset: of From among the scores.
    private readonly record struct Part(KeyValuePage Page, int From, int Seen, int Count, int Offset);

    public Attention(PackedModel model) => _model = model;

    /// <summary>
    /// Finds the pages that hold what a query at <paramref name="position"/> sees: everything before, or the last
    /// <paramref name="window"/> positions; call before <c>Compute</c>.
    /// </summary>
    public void Prepare(KeyValues run, int position, int? window = null)
    {
        _parts.Clear();
        var first = window is { } width ? Math.Max(0, position - width + 1) : 0;
        var until = position + 1; // a parent may go on where the run has left it
        for (KeyValues? at = run; at is not null; at = at.Parent)
        {
            var pages = at.Pages;
            var end = Math.Min(at.Count, until - at.Start); // in the run's own numbers
            for (var page = (end - 1) / KeyValues.PageSize; page >= 0 && end > 0; page--)
            {
                var start = page * KeyValues.PageSize;
                var seen = Math.Max(0, first - at.Start - start);
                var count = Math.Min(end - start, KeyValues.PageSize);
                if (seen < count) _parts.Add(new(pages[page], seen / KeyValues.Block * KeyValues.Block, seen, count, 0));
            }

            if (at.Start <= first) break;
            until = at.Start;
        }

        _parts.Reverse();
        var offset = 0;
        for (var i = 0; i < _parts.Count; i++)
        {
            _parts[i] = _parts[i] with { Offset = offset };
            offset += Padded(_parts[i].Count - _parts[i].From);
        }

        if (offset <= _room) return;
        _room = 2 * offset;
        _scoreMemory = GC.AllocateArray<float>(_model.Config.Heads / _model.Config.KvHeads * _room, pinned: true);
        _scores = (float*)Unsafe.AsPointer(ref _scoreMemory[0]);
    }

    /// <summary>One layer's attention of all heads. query: (heads, dim) rotated, output: (heads * dim)</summary>
    public void Compute(int layer, float* query, float* output)
    {
        for (var kvHead = 0; kvHead < _model.Config.KvHeads; kvHead++) Compute(layer, kvHead, query, output);
    }

    /// <summary>As above, of the heads that share a key-value head.</summary>
    public void Compute(int layer, int kvHead, float* query, float* output)
    {
        var config = _model.Config;
        var (dim, queries) = (config.HeadDim, config.Heads / config.KvHeads);
        var scale = config.QueryScalar is null ? 1 / MathF.Sqrt(dim) : config.AttentionScale;
        var last = _parts[^1];
        var padded = last.Offset + Padded(last.Count - last.From);
        var q = query + kvHead * queries * dim;
        foreach (var (page, from, seen, count, offset) in _parts)
            fixed (float* keys = page.Keys(layer, kvHead))
                for (var i = 0; i < queries; i += 2) // an odd last one is its own partner
                {
                    float* s0 = _scores + i * _room + offset, s1 = _scores + Math.Min(i + 1, queries - 1) * _room + offset;
                    Scores(q + i * dim, q + Math.Min(i + 1, queries - 1) * dim, keys + from * dim, dim, count - from, s0, s1, scale);
                    for (var hidden = 0; hidden < seen - from; hidden++) (s0[hidden], s1[hidden]) = (float.NegativeInfinity, float.NegativeInfinity);
                }

        for (var i = 0; i < queries; i++)
        {
            if (config.AttentionSoftcap is { } cap) VectorMath.SoftCap(_scores + i * _room, padded, cap);
            Exponentials(_scores + i * _room, padded);
        }

        for (var i = 0; i < queries; i += 2)
        {
            var j = Math.Min(i + 1, queries - 1);
            Weigh(layer, kvHead, _scores + i * _room, _scores + j * _room, output + (kvHead * queries + i) * dim, output + (kvHead * queries + j) * dim, dim);
        }
    }

    private static int Padded(int count) => (count + KeyValues.Block - 1) / KeyValues.Block * KeyValues.Block;

    // Scores of two queries at 32 positions at a time; positions behind the end get minus infinity.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Scores(float* q0, float* q1, float* keys, int dim, int count, float* s0, float* s1, float scale)
    {
        var factor = Vector256.Create(scale);
        var block = dim * KeyValues.Block;
        var start = 0;
        for (; start + 16 < count; start += 32, keys += 2 * block)
        {
            Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
            float* k = keys, l = keys + block;
            for (nint d = 0; d < dim; d++, k += 16, l += 16)
            {
                Memory.Prefetch(k + 2 * block);
                Memory.Prefetch(l + 2 * block);
                var (x, y) = (Vector256.Create(q0[d]), Vector256.Create(q1[d]));
                var key = Vector256.Load(k);
                a0 = Vector256.FusedMultiplyAdd(x, key, a0);
                b0 = Vector256.FusedMultiplyAdd(y, key, b0);
                key = Vector256.Load(k + 8);
                a1 = Vector256.FusedMultiplyAdd(x, key, a1);
                b1 = Vector256.FusedMultiplyAdd(y, key, b1);
                key = Vector256.Load(l);
                a2 = Vector256.FusedMultiplyAdd(x, key, a2);
                b2 = Vector256.FusedMultiplyAdd(y, key, b2);
                key = Vector256.Load(l + 8);
                a3 = Vector256.FusedMultiplyAdd(x, key, a3);
                b3 = Vector256.FusedMultiplyAdd(y, key, b3);
            }

            (a0 * factor).Store(s0 + start);
            (a1 * factor).Store(s0 + start + 8);
            (a2 * factor).Store(s0 + start + 16);
            (a3 * factor).Store(s0 + start + 24);
            (b0 * factor).Store(s1 + start);
            (b1 * factor).Store(s1 + start + 8);
            (b2 * factor).Store(s1 + start + 16);
            (b3 * factor).Store(s1 + start + 24);
        }

        if (start < count)
        {
            Vector256<float> a0 = default, a1 = default, b0 = default, b1 = default;
            for (nint d = 0; d < dim; d++, keys += 16)
            {
                var (x, y) = (Vector256.Create(q0[d]), Vector256.Create(q1[d]));
                var (low, high) = (Vector256.Load(keys), Vector256.Load(keys + 8));
                a0 = Vector256.FusedMultiplyAdd(x, low, a0);
                a1 = Vector256.FusedMultiplyAdd(x, high, a1);
                b0 = Vector256.FusedMultiplyAdd(y, low, b0);
                b1 = Vector256.FusedMultiplyAdd(y, high, b1);
            }

            (a0 * factor).Store(s0 + start);
            (a1 * factor).Store(s0 + start + 8);
            (b0 * factor).Store(s1 + start);
            (b1 * factor).Store(s1 + start + 8);
        }

        for (var i = count; i < Padded(count); i++) (s0[i], s1[i]) = (float.NegativeInfinity, float.NegativeInfinity);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Exponentials(float* scores, int padded)
    {
        var (max, other) = (Vector256.Load(scores), Vector256.Load(scores + 8));
        for (var i = 16; i < padded; i += 16)
        {
            max = Vector256.MaxNative(max, Vector256.Load(scores + i));
            other = Vector256.MaxNative(other, Vector256.Load(scores + i + 8));
        }

        max = Vector256.MaxNative(max, other);
        var largest = float.NegativeInfinity;
        for (var i = 0; i < 8; i++) largest = MathF.Max(largest, max[i]);
        var shift = Vector256.Create(largest);
        for (var i = 0; i < padded; i += 8) VectorMath.Exp(Vector256.Load(scores + i) - shift).Store(scores + i);
    }

    // Sums run over the positions in order, so the result does not depend on how they are cut into runs.
    private void Weigh(int layer, int kvHead, float* pa, float* pb, float* outA, float* outB, int dim)
    {
        var sums = stackalloc float[2 * Slice + 2];
        var stride = KeyValues.Pad(dim);
        for (var from = 0; from < dim; from += Slice)
        {
            var width = Math.Min(Slice, dim - from);
            new Span<float>(sums, 2 * Slice + 2).Clear();
            foreach (var (page, first, seen, count, offset) in _parts)
                fixed (float* values = page.Values(layer, kvHead))
                {
                    float* a0 = pa + offset + seen - first, b0 = pb + offset + seen - first, v = values + seen * stride + from;
                    if (width == Slice) Add32(a0, b0, v, stride, count - seen, sums);
                    else Add(a0, b0, v, stride, width, count - seen, sums);
                }

            var (a, b) = (1 / sums[2 * Slice], 1 / sums[2 * Slice + 1]);
            for (var i = 0; i < width; i++) (outA[from + i], outB[from + i]) = (sums[i] * a, sums[Slice + i] * b);
        }
    }

    // sums: 32 of the first query, 32 of the second, the two sums of weights.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Add32(float* pa, float* pb, float* v, int stride, int count, float* sums)
    {
        var (a0, a1, a2, a3) = (Vector256.Load(sums), Vector256.Load(sums + 8), Vector256.Load(sums + 16), Vector256.Load(sums + 24));
        var (b0, b1, b2, b3) = (Vector256.Load(sums + 32), Vector256.Load(sums + 40), Vector256.Load(sums + 48), Vector256.Load(sums + 56));
        var (sumA, sumB) = (sums[64], sums[65]);
        for (nint p = 0; p < count; p++, v += stride)
        {
            Memory.Prefetch(v + 16 * stride);
            Memory.Prefetch(v + 16 * stride + 16);
            var (x, y) = (Vector256.Create(pa[p]), Vector256.Create(pb[p]));
            var value = Vector256.Load(v);
            a0 = Vector256.FusedMultiplyAdd(x, value, a0);
            b0 = Vector256.FusedMultiplyAdd(y, value, b0);
            value = Vector256.Load(v + 8);
            a1 = Vector256.FusedMultiplyAdd(x, value, a1);
            b1 = Vector256.FusedMultiplyAdd(y, value, b1);
            value = Vector256.Load(v + 16);
            a2 = Vector256.FusedMultiplyAdd(x, value, a2);
            b2 = Vector256.FusedMultiplyAdd(y, value, b2);
            value = Vector256.Load(v + 24);
            a3 = Vector256.FusedMultiplyAdd(x, value, a3);
            b3 = Vector256.FusedMultiplyAdd(y, value, b3);
            sumA += pa[p];
            sumB += pb[p];
        }

        a0.Store(sums);
        a1.Store(sums + 8);
        a2.Store(sums + 16);
        a3.Store(sums + 24);
        b0.Store(sums + 32);
        b1.Store(sums + 40);
        b2.Store(sums + 48);
        b3.Store(sums + 56);
        (sums[64], sums[65]) = (sumA, sumB);
    }

    private static void Add(float* pa, float* pb, float* v, int stride, int width, int count, float* sums)
    {
        for (var p = 0; p < count; p++, v += stride)
        {
            for (var i = 0; i < width; i++)
            {
                sums[i] = MathF.FusedMultiplyAdd(pa[p], v[i], sums[i]);
                sums[Slice + i] = MathF.FusedMultiplyAdd(pb[p], v[i], sums[Slice + i]);
            }

            sums[2 * Slice] += pa[p];
            sums[2 * Slice + 1] += pb[p];
        }
    }
}
