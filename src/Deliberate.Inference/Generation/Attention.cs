using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Deliberate.Inference.Generation;

/// <summary>Attention of one new position over a chain of key-value runs. Scratch memory is one worker's own.</summary>
internal sealed unsafe class Attention
{
    private readonly PackedModel _model;
    private readonly float* _scores; // (queries of a key-value head, padded positions)
    private readonly float[] _scoreMemory;
    private readonly int _room;
    private readonly List<(KeyValues Run, int Count, int Offset)> _parts = [];

    public Attention(PackedModel model)
    {
        _model = model;
        _room = model.Config.MaxPositions + 16 * 64;
        _scoreMemory = GC.AllocateArray<float>(model.Config.Heads / model.Config.KvHeads * _room, pinned: true);
        _scores = (float*)Unsafe.AsPointer(ref _scoreMemory[0]);
    }

    /// <summary>Finds the runs that hold positions 0 to <paramref name="position"/>; call before <see cref="Compute"/>.</summary>
    public void Prepare(KeyValues run, int position)
    {
        _parts.Clear();
        for (KeyValues? at = run; at is not null; at = at.Parent) _parts.Add((at, Math.Min(at.Count, position + 1 - at.Start), 0));
        _parts.Reverse();
        var offset = 0;
        for (var i = 0; i < _parts.Count; i++)
        {
            _parts[i] = _parts[i] with { Offset = offset };
            offset += (_parts[i].Count + 15) / 16 * 16;
        }

        if (offset > _room) throw new InvalidOperationException("Too many shared runs in one sequence.");
    }

    /// <summary>One layer's attention. query: (heads, dim) rotated, output: (heads * dim)</summary>
    public void Compute(int layer, float* query, float* output)
    {
        var config = _model.Config;
        var (dim, queries) = (config.HeadDim, config.Heads / config.KvHeads);
        var scale = 1 / MathF.Sqrt(dim);
        var last = _parts[^1];
        var padded = last.Offset + (last.Count + 15) / 16 * 16;
        for (var kvHead = 0; kvHead < config.KvHeads; kvHead++)
        {
            var q = query + kvHead * queries * dim;
            foreach (var (run, count, offset) in _parts)
                fixed (float* keys = run.Keys(layer, kvHead))
                    Scores(q, queries, keys, dim, count, _scores + offset, scale);
            for (var i = 0; i < queries; i++) Exponentials(_scores + i * _room, padded);
            var pair = 0;
            for (; pair + 2 <= queries && dim == 32; pair += 2) WeighTwo32(layer, kvHead, _scores + pair * _room, output + (kvHead * queries + pair) * dim);
            for (; pair < queries; pair++) Weigh(layer, kvHead, _scores + pair * _room, output + (kvHead * queries + pair) * dim, dim);
        }
    }

    // Scores of 16 positions at a time; positions behind the end get minus infinity.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Scores(float* q, int queries, float* keys, int dim, int count, float* scores, float scale)
    {
        var lanes = Vector512.Create(0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        for (var start = 0; start < count; start += 16, keys += dim * 16)
        {
            var valid = Vector512.LessThan(lanes, Vector512.Create((float)(count - start)));
            var i = 0;
            for (; i + 2 <= queries; i += 2)
            {
                Vector512<float> a = default, b = default;
                float* q0 = q + i * dim, q1 = q0 + dim;
                for (var d = 0; d < dim; d++)
                {
                    var k = Vector512.Load(keys + d * 16);
                    a = Vector512.FusedMultiplyAdd(Vector512.Create(q0[d]), k, a);
                    b = Vector512.FusedMultiplyAdd(Vector512.Create(q1[d]), k, b);
                }

                Vector512.ConditionalSelect(valid, a * Vector512.Create(scale), Vector512.Create(float.NegativeInfinity)).Store(scores + i * _room + start);
                Vector512.ConditionalSelect(valid, b * Vector512.Create(scale), Vector512.Create(float.NegativeInfinity)).Store(scores + (i + 1) * _room + start);
            }

            for (; i < queries; i++)
            {
                Vector512<float> a = default;
                for (var d = 0; d < dim; d++) a = Vector512.FusedMultiplyAdd(Vector512.Create(q[i * dim + d]), Vector512.Load(keys + d * 16), a);
                Vector512.ConditionalSelect(valid, a * Vector512.Create(scale), Vector512.Create(float.NegativeInfinity)).Store(scores + i * _room + start);
            }
        }
    }

    private static void Exponentials(float* scores, int padded)
    {
        var max = Vector512.Load(scores);
        for (var i = 16; i < padded; i += 16) max = Vector512.Max(max, Vector512.Load(scores + i));
        var largest = float.NegativeInfinity;
        for (var i = 0; i < 16; i++) largest = MathF.Max(largest, max[i]);
        var shift = Vector512.Create(largest);
        for (var i = 0; i < padded; i += 16) VectorMath.Exp(Vector512.Load(scores + i) - shift).Store(scores + i);
    }

    // Sums run over the positions in order, so the result does not depend on how they are cut into runs.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WeighTwo32(int layer, int kvHead, float* scores, float* output)
    {
        Vector512<float> a0 = default, a1 = default, b0 = default, b1 = default;
        float sumA = 0, sumB = 0;
        foreach (var (run, count, offset) in _parts)
            fixed (float* values = run.Values(layer, kvHead))
            {
                float* pa = scores + offset, pb = scores + _room + offset, v = values;
                for (var p = 0; p < count; p++, v += 32)
                {
                    var (v0, v1) = (Vector512.Load(v), Vector512.Load(v + 16));
                    var wa = Vector512.Create(pa[p]);
                    var wb = Vector512.Create(pb[p]);
                    a0 = Vector512.FusedMultiplyAdd(wa, v0, a0);
                    a1 = Vector512.FusedMultiplyAdd(wa, v1, a1);
                    b0 = Vector512.FusedMultiplyAdd(wb, v0, b0);
                    b1 = Vector512.FusedMultiplyAdd(wb, v1, b1);
                    sumA += pa[p];
                    sumB += pb[p];
                }
            }

        var (ia, ib) = (Vector512.Create(1 / sumA), Vector512.Create(1 / sumB));
        (a0 * ia).Store(output);
        (a1 * ia).Store(output + 16);
        (b0 * ib).Store(output + 32);
        (b1 * ib).Store(output + 48);
    }

    private void Weigh(int layer, int kvHead, float* scores, float* output, int dim)
    {
        float sum = 0;
        foreach (var (_, count, offset) in _parts)
            for (var p = 0; p < count; p++) sum += scores[offset + p];
        for (var d = 0; d < dim; d++)
        {
            float total = 0;
            foreach (var (run, count, offset) in _parts)
            {
                var values = run.Values(layer, kvHead);
                for (var p = 0; p < count; p++) total = MathF.FusedMultiplyAdd(scores[offset + p], values[p * run.ValueDim + d], total);
            }

            output[d] = total * (1 / sum);
        }
    }
}
