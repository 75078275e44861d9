using System.Runtime.CompilerServices;
using Deliberate.Inference.Models;

namespace Deliberate.Inference.Generation;

/// <summary>One token to compute: its sequence's run, its position, and whether its logits are wanted.</summary>
internal readonly record struct PassRow(KeyValues Run, int Position, int Token, bool Logits);

/// <summary>
/// The decoder's forward pass over any mixture of tokens: prompts and new tokens of several sequences. A sequence's tokens come
/// in order. Buffers are one worker's own.
/// </summary>
internal sealed unsafe class ForwardPass
{
    /// <summary>Most tokens of one pass.</summary>
    public const int MaxRows = 128;

    private readonly PackedModel _model;
    private readonly Attention _attention;
    private readonly float[] _memory;
    private readonly float* _x, _normed, _qkv, _attended, _gate, _up, _logits;

    public ForwardPass(PackedModel model)
    {
        _model = model;
        _attention = new(model);
        var qkv = model.Layers[0].Qkv.Stride;
        int[] sizes = [model.Width, model.Width, qkv, qkv, model.FeedForward, model.FeedForward, model.Head.Stride];
        _memory = GC.AllocateArray<float>(sizes.Sum() * MaxRows, pinned: true);
        var at = (float*)Unsafe.AsPointer(ref _memory[0]);
        float* Take(int i)
        {
            var start = at;
            at += (long)sizes[i] * MaxRows;
            return start;
        }

        _x = Take(0);
        _normed = Take(1);
        _qkv = Take(2);
        _attended = Take(3);
        _gate = Take(4);
        _up = Take(5);
        _logits = Take(6);
    }

    /// <summary>Logits of the n-th row that asked for them. (vocab)</summary>
    public Span<float> Logits(int n) => new(_logits + (long)n * _model.Head.Stride, _model.Config.VocabSize);

    /// <summary>Computes the rows, appending to their runs.</summary>
    public void Run(ReadOnlySpan<PassRow> rows)
    {
        var config = _model.Config;
        int d = config.HiddenSize, width = _model.Width, q = config.Heads * config.HeadDim;
        for (var r = 0; r < rows.Length; r++)
        {
            _model.Embedding.AsSpan(rows[r].Token * width, width).CopyTo(new Span<float>(_x + (long)r * width, width));
            rows[r].Run.Count = rows[r].Position - rows[r].Run.Start + 1;
        }

        for (var l = 0; l < _model.Layers.Length; l++)
        {
            var layer = _model.Layers[l];
            Norm(layer.InputNorm, rows.Length);
            var stride = layer.Qkv.Stride;
            layer.Qkv.Multiply(_normed, width, _qkv, rows.Length, add: false);
            for (var r = 0; r < rows.Length; r++) StoreKeyValue(rows[r], l, _qkv + (long)r * stride, config);
            for (var r = 0; r < rows.Length; r++)
            {
                _attention.Prepare(rows[r].Run, rows[r].Position);
                _attention.Compute(l, _qkv + (long)r * stride, _attended + (long)r * stride);
            }

            layer.Output.Multiply(_attended, stride, _x, rows.Length, add: true);
            Norm(layer.PostNorm, rows.Length);
            layer.Gate.Multiply(_normed, width, _gate, rows.Length, add: false);
            layer.Up.Multiply(_normed, width, _up, rows.Length, add: false);
            VectorMath.SiluTimes(_gate, _up, _gate, rows.Length * _model.FeedForward);
            layer.Down.Multiply(_gate, _model.FeedForward, _x, rows.Length, add: true);
        }

        // Only the rows whose next token is wanted go through the vocabulary.
        var wanted = 0;
        fixed (float* norm = _model.FinalNorm)
            for (var r = 0; r < rows.Length; r++)
                if (rows[r].Logits) VectorMath.RmsNorm(_x + (long)r * width, norm, _normed + (long)wanted++ * width, d, width, config.RmsNormEps);
        if (wanted > 0) _model.Head.Multiply(_normed, width, _logits, wanted, add: false);
    }

    private void Norm(float[] weight, int rows)
    {
        fixed (float* w = weight)
            for (var r = 0; r < rows; r++)
                VectorMath.RmsNorm(_x + (long)r * _model.Width, w, _normed + (long)r * _model.Width, _model.Config.HiddenSize, _model.Width, _model.Config.RmsNormEps);
    }

    // Rotates queries and keys (the two halves of a head against each other) and writes key and value to the run.
    private void StoreKeyValue(PassRow row, int layer, float* qkv, ModelConfig config)
    {
        int dim = config.HeadDim, half = dim / 2, index = row.Position - row.Run.Start;
        fixed (float* cos = _model.Cos, sin = _model.Sin)
            for (var head = 0; head < config.Heads + config.KvHeads; head++)
                VectorMath.Rotate(qkv + head * dim, cos + row.Position * half, sin + row.Position * half, half);

        for (var head = 0; head < config.KvHeads; head++)
        {
            var key = qkv + (config.Heads + head) * dim;
            var value = key + config.KvHeads * dim;
            var keys = row.Run.Keys(layer, head).Slice(index / KeyValues.Block * KeyValues.Block * dim, KeyValues.Block * dim);
            for (var i = 0; i < dim; i++) keys[i * KeyValues.Block + index % KeyValues.Block] = key[i];
            new ReadOnlySpan<float>(value, dim).CopyTo(row.Run.Values(layer, head)[(index * row.Run.ValueDim)..]);
        }
    }
}
