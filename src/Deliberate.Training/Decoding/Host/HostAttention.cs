using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding.Host;

/// <summary>
/// Causal attention over one row, forward and backward, for one thread. Scores are made for a few queries at a time against the
/// keys they may see, so that they never leave the cache; the backward pass makes them again (Dao et al. 2022, FlashAttention).
/// </summary>
/// <remarks>
/// Rows of <c>qkv</c> hold the rotated queries, the rotated keys and the values of one token, head by head. Not thread-safe.
/// </remarks>
internal sealed unsafe class HostAttention(ModelConfig config) : IDisposable
{
    // Queries whose scores are kept together in the backward pass, where they are summed over.
    private const int Block = 48;

    private readonly int _dim = config.HeadDim, _heads = config.Heads, _kvHeads = config.KvHeads, _groups = config.Heads / config.KvHeads;
    private readonly int _panels = (config.HeadDim + Gemm.TileColumns - 1) / Gemm.TileColumns; // of one head
    private readonly float _scale = 1 / MathF.Sqrt(config.HeadDim);
    private readonly NativeBuffer _keys = new(), _keysAcross = new(), _values = new(), _valuesAcross = new(), _scores = new(), _slopes = new();
    private int _length, _scoreStride;

    /// <summary>Attends. -> <paramref name="output"/>: (T, heads * dim), <paramref name="logSums"/>: (heads, T)</summary>
    /// <param name="length">Tokens of the row (T).</param>
    /// <param name="qkv">(T, (heads + 2 kv heads) * dim)</param>
    /// <param name="stride">Distance between rows of it.</param>
    /// <param name="output">What the heads read.</param>
    /// <param name="outputStride">Distance between rows of it.</param>
    /// <param name="logSums">Logarithms of the softmax's denominators, for the backward pass.</param>
    public void Forward(int length, float* qkv, nint stride, float* output, nint outputStride, float* logSums)
    {
        Reserve(length, Gemm.TileRows);
        var inverse = stackalloc float[Gemm.TileRows];
        for (var kvHead = 0; kvHead < _kvHeads; kvHead++)
        {
            Gemm.PackWhole(_dim, length, qkv + (_heads + kvHead) * _dim, 1, stride, _keysAcross.Data);
            Gemm.PackWhole(length, _dim, qkv + (_heads + _kvHeads + kvHead) * _dim, stride, 1, _values.Data);
            for (var head = kvHead * _groups; head < (kvHead + 1) * _groups; head++)
                for (var first = 0; first < length; first += Gemm.TileRows)
                {
                    var count = Math.Min(Gemm.TileRows, length - first);
                    Products(count, first + count, qkv + first * stride + head * _dim, stride, _keysAcross.Data, _scores.Data);
                    for (var i = 0; i < count; i++)
                    {
                        var (max, sum) = Exponentials(_scores.Data + i * _scoreStride, first + i + 1, first + count);
                        inverse[i] = 1 / sum;
                        logSums[head * length + first + i] = max + MathF.Log(sum);
                    }

                    var target = output + first * outputStride + head * _dim;
                    for (var panel = 0; panel < _panels; panel++)
                        Gemm.Tile(first + count, count, Width(panel), _scores.Data, _scoreStride, 1, _values.Data + (long)panel * length * Gemm.TileColumns, Gemm.TileColumns,
                            target + panel * Gemm.TileColumns, outputStride, false);
                    for (var i = 0; i < count; i++) VectorMath.Scale(target + i * outputStride, inverse[i], _dim);
                }
        }
    }

    /// <summary>The gradient of what went into <see cref="Forward"/>, whose arguments and results come first. -> <paramref name="slope"/>, like qkv</summary>
    public void Backward(int length, float* qkv, nint stride, float* output, float* outputSlope, nint outputStride, float* logSums, float* slope)
    {
        Reserve(length, Block);
        for (var kvHead = 0; kvHead < _kvHeads; kvHead++)
        {
            int key = (_heads + kvHead) * _dim, value = (_heads + _kvHeads + kvHead) * _dim;
            Gemm.PackWhole(_dim, length, qkv + key, 1, stride, _keysAcross.Data);
            Gemm.PackWhole(_dim, length, qkv + value, 1, stride, _valuesAcross.Data);
            Gemm.PackWhole(length, _dim, qkv + key, stride, 1, _keys.Data);
            for (var t = 0; t < length; t++)
            {
                new Span<float>(slope + t * stride + key, _dim).Clear();
                new Span<float>(slope + t * stride + value, _dim).Clear();
            }

            for (var head = kvHead * _groups; head < (kvHead + 1) * _groups; head++)
                for (var first = 0; first < length; first += Block)
                {
                    var count = Math.Min(Block, length - first);
                    Queries(first, count, length, head, qkv, stride, output, outputSlope, outputStride, logSums + head * length, slope);
                    SumOverQueries(first, count, _scores.Data, outputSlope + first * outputStride + head * _dim, outputStride, slope + value, stride);
                    SumOverQueries(first, count, _slopes.Data, qkv + first * stride + head * _dim, stride, slope + key, stride);
                }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in (NativeBuffer[])[_keys, _keysAcross, _values, _valuesAcross, _scores, _slopes]) buffer.Dispose();
    }

    // Probabilities and the slopes of the scores of a block of queries, and from those the queries' own gradient.
    private void Queries(int start, int total, int length, int head, float* qkv, nint stride, float* output, float* outputSlope, nint outputStride, float* logSums, float* slope)
    {
        var end = start + total;
        for (var first = start; first < end; first += Gemm.TileRows)
        {
            var count = Math.Min(Gemm.TileRows, end - first);
            var scores = _scores.Data + (long)(first - start) * _scoreStride;
            var slopes = _slopes.Data + (long)(first - start) * _scoreStride;
            var at = first * outputStride + head * _dim;
            Products(count, first + count, qkv + first * stride + head * _dim, stride, _keysAcross.Data, scores);
            Products(count, first + count, outputSlope + at, outputStride, _valuesAcross.Data, slopes);
            for (var i = 0; i < count; i++)
            {
                var mean = VectorMath.Dot(output + at + i * outputStride, outputSlope + at + i * outputStride, _dim);
                ScoreSlopes(scores + i * _scoreStride, slopes + i * _scoreStride, first + i + 1, end, logSums[first + i], mean);
            }

            for (var panel = 0; panel < _panels; panel++)
                Gemm.Tile(first + count, count, Width(panel), slopes, _scoreStride, 1, _keys.Data + (long)panel * length * Gemm.TileColumns, Gemm.TileColumns,
                    slope + first * stride + head * _dim + panel * Gemm.TileColumns, stride, false);
        }
    }

    // Rows of queries (or of output slopes) against all keys (or values) up to a bound.
    private void Products(int count, int bound, float* rows, nint stride, float* across, float* result)
    {
        for (var j = 0; j < bound; j += Gemm.TileColumns)
            Gemm.Tile(_dim, count, Gemm.TileColumns, rows, stride, 1, across + (long)j * _dim, Gemm.TileColumns, result + j, _scoreStride, false);
    }

    // target (keys, dim) += weights^T rows, where no query before a key counts for it.
    private void SumOverQueries(int first, int count, float* weights, float* rows, nint rowStride, float* target, nint stride)
    {
        for (var key = 0; key < first + count; key += Gemm.TileRows)
        {
            var skip = Math.Max(0, key - first);
            var keys = Math.Min(Gemm.TileRows, first + count - key);
            for (var panel = 0; panel < _panels; panel++)
                Gemm.Tile(count - skip, keys, Width(panel), weights + (long)skip * _scoreStride + key, 1, _scoreStride, rows + skip * rowStride + panel * Gemm.TileColumns, rowStride,
                    target + key * stride + panel * Gemm.TileColumns, stride, true);
        }
    }

    // e^(scaled scores - their maximum) in place, zeros from the length to the bound; returns the maximum and the sum.
    private (float Max, float Sum) Exponentials(float* scores, int length, int bound)
    {
        var whole = length & ~7;
        var rest = Vector256.LessThan(VectorMath.Lanes, Vector256.Create((float)(length - whole)));
        var tail = Vector256.ConditionalSelect(rest, Vector256.Load(scores + whole), Vector256.Create(float.NegativeInfinity));
        var top = tail;
        for (var j = 0; j < whole; j += 8) top = Vector256.Max(top, Vector256.Load(scores + j));
        var max = _scale * Max(top);
        var (shift, scale, sum) = (Vector256.Create(-max), Vector256.Create(_scale), Vector256<float>.Zero);
        for (var j = 0; j < whole; j += 8)
        {
            var e = VectorMath.Exp(Vector256.FusedMultiplyAdd(Vector256.Load(scores + j), scale, shift));
            e.Store(scores + j);
            sum += e;
        }

        tail = VectorMath.Exp(Vector256.FusedMultiplyAdd(tail, scale, shift)) & rest;
        tail.Store(scores + whole);
        for (var j = whole + 8; j < bound; j += 8) Vector256<float>.Zero.Store(scores + j);
        return (max, Vector256.Sum(sum + tail));
    }

    // Scores become probabilities, and slopes of the probabilities those of the scores; zeros from the length to the bound.
    private void ScoreSlopes(float* scores, float* slopes, int length, int bound, float logSum, float mean)
    {
        var (shift, scale, centre) = (Vector256.Create(-logSum), Vector256.Create(_scale), Vector256.Create(mean));
        var whole = length & ~7;
        var j = 0;
        for (; j < whole; j += 8)
        {
            var p = VectorMath.Exp(Vector256.FusedMultiplyAdd(Vector256.Load(scores + j), scale, shift));
            p.Store(scores + j);
            (p * scale * (Vector256.Load(slopes + j) - centre)).Store(slopes + j);
        }

        var rest = Vector256.LessThan(VectorMath.Lanes, Vector256.Create((float)(length - whole)));
        var last = VectorMath.Exp(Vector256.FusedMultiplyAdd(Vector256.Load(scores + j) & rest, scale, shift)) & rest;
        last.Store(scores + j);
        (last * scale * ((Vector256.Load(slopes + j) & rest) - centre)).Store(slopes + j);
        for (j += 8; j < bound; j += 8)
        {
            Vector256<float>.Zero.Store(scores + j);
            Vector256<float>.Zero.Store(slopes + j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Max(Vector256<float> x)
    {
        var half = Vector128.Max(x.GetLower(), x.GetUpper());
        half = Vector128.Max(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        return Math.Max(half.GetElement(0), half.GetElement(1));
    }

    private int Width(int panel) => Math.Min(Gemm.TileColumns, _dim - panel * Gemm.TileColumns);

    // Panels are read in whole vectors, also behind the row's end.
    private void Reserve(int length, int queries)
    {
        _scoreStride = Math.Max(_scoreStride, Gemm.Stride(length + Gemm.TileColumns));
        _ = _scores.Reserve((long)queries * _scoreStride);
        _ = _slopes.Reserve((long)queries * _scoreStride);
        if (length <= _length) return;
        _length = length;
        foreach (var buffer in (NativeBuffer[])[_keys, _values]) _ = buffer.Reserve(Gemm.PackedSize(length, _dim));
        foreach (var buffer in (NativeBuffer[])[_keysAcross, _valuesAcross]) _ = buffer.Reserve(Gemm.PackedSize(_dim, length));
    }
}
