using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>
/// Attention of new positions over their chains of key-value runs. Some positions are computed together, page by page: what their texts have in common, such as
/// a specification before each prompt, then comes from a near cache for all but the first. Each is computed as it would be alone. Scratch memory is one worker's own.
/// </summary>
internal sealed unsafe class Attention
{
    /// <summary>Most positions that are computed together.</summary>
    public const int MostRows = 8;

    // Dimensions that are summed at once: 32 floats of two queries are eight vectors of sums.
    private const int Slice = 32, SumStride = Slice + 8;

    private readonly PackedModel _model;
    private readonly List<Part>[] _parts = [.. Enumerable.Range(0, MostRows).Select(_ => new List<Part>())];
    private readonly List<(int Row, int End, Part Part)> _groups = [];
    private readonly nint[] _queries = new nint[MostRows], _outputs = new nint[MostRows];
    private readonly float* _sums; // (rows * queries of a key-value head, SumStride): a slice and the sum of weights
    private readonly float[] _sumMemory;
    private float* _scores; // (rows * queries of a key-value head, room)
    private float[] _scoreMemory = [];
    private int _rows, _most, _room;

    // Positions From (a whole block) to Count of a page; those before Seen are behind the window. Offset: of From among the scores.
    private readonly record struct Part(KeyValuePage Page, int From, int Seen, int Count, int Offset);

    public Attention(PackedModel model)
    {
        _model = model;
        _sumMemory = GC.AllocateArray<float>(MostRows * (model.Config.Heads / model.Config.KvHeads) * SumStride, pinned: true);
        _sums = (float*)Unsafe.AsPointer(ref _sumMemory[0]);
    }

    /// <summary>Begins with no position; add them before <c>Compute</c>.</summary>
    public void Clear()
    {
        (_rows, _most) = (0, 0);
        _groups.Clear();
    }

    /// <summary>
    /// Adds a position and finds the pages that hold what its query sees: everything before, or the last <paramref name="window"/> positions.
    /// </summary>
    /// <param name="run">The position's run.</param>
    /// <param name="position">The position.</param>
    /// <param name="window">How much it sees; null: all.</param>
    /// <param name="query">(heads, dim), rotated</param>
    /// <param name="output">(heads * dim)</param>
    public void Add(KeyValues run, int position, int? window, float* query, float* output)
    {
        var parts = _parts[_rows];
        parts.Clear();
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
                if (seen < count) parts.Add(new(pages[page], seen / KeyValues.Block * KeyValues.Block, seen, count, 0));
            }

            if (at.Start <= first) break;
            until = at.Start;
        }

        parts.Reverse();
        var offset = 0;
        for (var i = 0; i < parts.Count; i++)
        {
            parts[i] = parts[i] with { Offset = offset };
            offset += Padded(parts[i].Count - parts[i].From);
        }

        (_queries[_rows], _outputs[_rows]) = ((nint)query, (nint)output);
        _rows++;
        _most = Math.Max(_most, parts.Count);
        if (offset <= _room) return;
        _room = 2 * offset;
        _scoreMemory = GC.AllocateArray<float>(MostRows * (_model.Config.Heads / _model.Config.KvHeads) * _room, pinned: true);
        _scores = (float*)Unsafe.AsPointer(ref _scoreMemory[0]);
    }

    /// <summary>One layer's attention of all heads.</summary>
    public void Compute(int layer)
    {
        for (var kvHead = 0; kvHead < _model.Config.KvHeads; kvHead++) Compute(layer, kvHead);
    }

    /// <summary>As above, of the heads that share a key-value head.</summary>
    public void Compute(int layer, int kvHead)
    {
        var config = _model.Config;
        var (dim, queries) = (config.HeadDim, config.Heads / config.KvHeads);
        var scale = config.QueryScalar is null ? 1 / MathF.Sqrt(dim) : config.AttentionScale;
        if (_groups.Count == 0) Group();
        foreach (var (row, end, (page, from, seen, count, offset)) in _groups)
            fixed (float* keys = page.Keys(layer, kvHead))
                for (var i = row * queries; i < end * queries; i += 2) // an odd last one is its own partner
                {
                    var j = Math.Min(i + 1, end * queries - 1);
                    float* s0 = _scores + i * _room + offset, s1 = _scores + j * _room + offset;
                    Scores(Query(i), Query(j), keys + from * dim, dim, count - from, s0, s1, scale);
                    for (var hidden = 0; hidden < seen - from; hidden++) (s0[hidden], s1[hidden]) = (float.NegativeInfinity, float.NegativeInfinity);
                }

        for (var i = 0; i < _rows * queries; i++)
        {
            var last = _parts[i / queries][^1];
            var padded = last.Offset + Padded(last.Count - last.From);
            if (config.AttentionSoftcap is { } cap) VectorMath.SoftCap(_scores + i * _room, padded, cap);
            Exponentials(_scores + i * _room, padded);
        }

        Weigh(layer, kvHead, dim, queries);

        float* Query(int i) => (float*)_queries[i / queries] + (kvHead * queries + i % queries) * dim;
    }

    // Part by part; neighbouring rows that see the same of a page go together.
    private void Group()
    {
        for (var p = 0; p < _most; p++)
            for (int row = 0, end; row < _rows; row = end)
            {
                end = row + 1;
                if (p >= _parts[row].Count) continue;
                while (end < _rows && p < _parts[end].Count && _parts[end][p] == _parts[row][p]) end++;
                _groups.Add((row, end, _parts[row][p]));
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
    private void Weigh(int layer, int kvHead, int dim, int queries)
    {
        var stride = KeyValues.Pad(dim);
        for (var from = 0; from < dim; from += Slice)
        {
            var width = Math.Min(Slice, dim - from);
            new Span<float>(_sums, _rows * queries * SumStride).Clear();
            foreach (var (row, end, (page, first, seen, count, offset)) in _groups)
                fixed (float* values = page.Values(layer, kvHead))
                    for (var i = row * queries; i < end * queries; i += 2)
                    {
                        var j = Math.Min(i + 1, end * queries - 1);
                        float* a = _scores + i * _room + offset + seen - first, b = _scores + j * _room + offset + seen - first, v = values + seen * stride + from;
                        float* sumsA = _sums + i * SumStride, sumsB = _sums + j * SumStride;
                        if (width == Slice) Accumulate32(a, b, v, stride, count - seen, sumsA, sumsB);
                        else
                        {
                            Accumulate(a, v, stride, width, count - seen, sumsA);
                            if (i != j) Accumulate(b, v, stride, width, count - seen, sumsB);
                        }
                    }

            for (var i = 0; i < _rows * queries; i++)
            {
                float* sums = _sums + i * SumStride, output = (float*)_outputs[i / queries] + (kvHead * queries + i % queries) * dim + from;
                var share = 1 / sums[Slice];
                for (var d = 0; d < width; d++) output[d] = sums[d] * share;
            }
        }
    }

    // sums: 32 of the query, then the sum of its weights.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Accumulate32(float* pa, float* pb, float* v, int stride, int count, float* sumsA, float* sumsB)
    {
        var (a0, a1, a2, a3) = (Vector256.Load(sumsA), Vector256.Load(sumsA + 8), Vector256.Load(sumsA + 16), Vector256.Load(sumsA + 24));
        var (b0, b1, b2, b3) = (Vector256.Load(sumsB), Vector256.Load(sumsB + 8), Vector256.Load(sumsB + 16), Vector256.Load(sumsB + 24));
        var (sumA, sumB) = (sumsA[Slice], sumsB[Slice]);
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

        a0.Store(sumsA);
        a1.Store(sumsA + 8);
        a2.Store(sumsA + 16);
        a3.Store(sumsA + 24);
        b0.Store(sumsB);
        b1.Store(sumsB + 8);
        b2.Store(sumsB + 16);
        b3.Store(sumsB + 24);
        (sumsA[Slice], sumsB[Slice]) = (sumA, sumB);
    }

    private static void Accumulate(float* weights, float* v, int stride, int width, int count, float* sums)
    {
        for (var p = 0; p < count; p++, v += stride)
        {
            for (var i = 0; i < width; i++) sums[i] = MathF.FusedMultiplyAdd(weights[p], v[i], sums[i]);
            sums[Slice] += weights[p];
        }
    }
}
