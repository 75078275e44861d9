using System.Runtime.Intrinsics;
using Deliberate.Inference.Models;

namespace Deliberate.Inference.Generation;

/// <summary>One token to compute: its sequence's run, its position, and whether its logits are wanted.</summary>
internal readonly record struct PassRow(KeyValues Run, int Position, int Token, bool Logits);

/// <summary>
/// The decoder's forward pass over any mixture of tokens: prompts and new tokens of several sequences. A sequence's tokens come
/// in order. All threads of the team go through it together, each taking rows or columns; what is computed does not depend on
/// their number. Buffers are its own.
/// </summary>
internal sealed unsafe class ForwardPass
{
    /// <summary>Most tokens of one pass.</summary>
    public const int MaxRows = 128;

    // Rows of a pass: those before Plain are multiplied by the engine's own kernels, the others by IPromptMatrices.
    private readonly record struct Rows(int Count, int Plain);

    private readonly PackedModel _model;
    private readonly ModelConfig _config;
    private readonly Team _team;
    private readonly Attention[] _attention;
    private readonly PassRow[] _rows = new PassRow[MaxRows];
    private readonly int[] _wantedRows = new int[MaxRows];
    private readonly AttentionTiles _tiles = new();
    private readonly int _width, _qkvStride;
    private int _count, _wanted, _room, _logitRoom;
    private AlignedMemory? _memory, _logitMemory;
    private float* _x, _normed, _qkv, _attended, _gate, _up, _logits;

    public ForwardPass(PackedModel model, Team team)
    {
        (_model, _config, _team) = (model, model.Config, team);
        (_width, _qkvStride) = (model.Width, model.Layers[0].Qkv.Stride);
        _attention = [.. Enumerable.Range(0, team.Size).Select(_ => new Attention(model))];
    }

    /// <summary>Logits of the n-th row that asked for them. (vocab)</summary>
    public Span<float> Logits(int n) => new(_logits + (long)n * _model.Head.Stride, _config.VocabSize);

    /// <summary>Computes the rows, appending to their runs.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="prompts">The first of those that are tokens of prompts: these may be multiplied by other means (<see cref="IPromptMatrices"/>).</param>
    public void Run(ReadOnlySpan<PassRow> rows, int prompts)
    {
        rows.CopyTo(_rows);
        _count = rows.Length;
        _wanted = 0;
        for (var r = 0; r < rows.Length; r++)
        {
            rows[r].Run.Count = rows[r].Position - rows[r].Run.Start + 1;
            if (rows[r].Logits) _wantedRows[_wanted++] = r;
        }

        Reserve();
        // Enough tiles for all threads.
        var tiles = _tiles.Cut(rows, rows.Length / (2 * _team.Size));
        // The phases of a pass must not change under a thread that comes late, so what they depend on goes with the call.
        var wanted = _wanted;
        var work = new Rows(rows.Length, _model.TakesPrompts ? prompts : rows.Length);
        _team.Run(me => Pass(me, work, tiles, wanted));
    }

    // Buffers grow to what is used: a single sequence of a large model needs little.
    private void Reserve()
    {
        if (_count > _room)
        {
            _room = _count <= 16 ? 16 : MaxRows;
            int[] sizes = [_width, _width, _qkvStride, _qkvStride, _model.FeedForward, _model.FeedForward];
            _memory?.Release();
            _memory = new((long)sizes.Sum() * _room * sizeof(float));
            var at = (float*)_memory.Start;
            float* Take(int i)
            {
                var start = at;
                at += (long)sizes[i] * _room;
                return start;
            }

            _x = Take(0);
            _normed = Take(1);
            _qkv = Take(2);
            _attended = Take(3);
            _gate = Take(4);
            _up = Take(5);
        }

        if (_wanted <= _logitRoom) return;
        _logitRoom = _wanted <= 8 ? 8 : Math.Min(MaxRows, _wanted * 3 / 2);
        _logitMemory?.Release();
        _logitMemory = new((long)_model.Head.Stride * _logitRoom * sizeof(float));
        _logits = (float*)_logitMemory.Start;
    }

    private void Pass(Team.Member me, Rows rows, int tiles, int wanted)
    {
        var count = rows.Count;
        for (int r; (r = _team.Take(me, count)) < count;) _model.Embed(_rows[r].Token, new Span<float>(X(r), _width));
        _team.Sync(me);
        for (var l = 0; l < _model.Layers.Length; l++)
        {
            var layer = _model.Layers[l];
            Norm(me, count, layer.PreAttention);
            Multiply(me, rows, layer.Qkv, Input(layer.PreAttention), _width, _qkv, false);
            for (int r; (r = _team.Take(me, count)) < count;) StoreKeyValue(layer, l, r);
            _team.Sync(me);
            Attend(me, tiles, layer, l);
            AddOutput(me, rows, layer.Output, _attended, _qkvStride, layer.OutputBias, layer.PostAttention);
            Norm(me, count, layer.PreFeedForward);
            Gated(me, rows, layer, Input(layer.PreFeedForward));
            AddOutput(me, rows, layer.Down, _gate, _model.FeedForward, layer.DownBias, layer.PostFeedForward);
        }

        // Only the rows whose next token is wanted go through the vocabulary.
        if (wanted == 0) return;
        fixed (float* norm = _model.FinalNorm)
            for (int n; (n = _team.Take(me, wanted)) < wanted;)
                VectorMath.RmsNorm(X(_wantedRows[n]), norm, _normed + (long)n * _width, _config.HiddenSize, _width, _config.RmsNormEps);
        _team.Sync(me);
        Multiply(me, new(wanted, wanted), _model.Head, _normed, _width, _logits, false);
        if (_config.LogitSoftcap is not { } cap) return;
        for (int n; (n = _team.Take(me, wanted)) < wanted;) VectorMath.SoftCap(_logits + (long)n * _model.Head.Stride, _model.Head.Stride, cap);
        _team.Sync(me);
    }

    private float* X(int row) => _x + (long)row * _width;

    private float* Input(float[] norm) => norm.Length > 0 ? _normed : _x;

    private void Norm(Team.Member me, int count, float[] weight)
    {
        if (weight.Length == 0) return;
        fixed (float* w = weight)
            for (int r; (r = _team.Take(me, count)) < count;)
                VectorMath.RmsNorm(X(r), w, _normed + (long)r * _width, _config.HiddenSize, _width, _config.RmsNormEps);
        _team.Sync(me);
    }

    // Of the rows before prompts parts are columns that fit into a near cache, a single thread has one part; of prompts each thread has one.
    private readonly record struct Cut(int Stride, int Columns, int Parts, int PromptColumns, int PromptParts)
    {
        public int All => Parts + PromptParts;

        public (bool Prompts, int From, int To) this[int part] => part < Parts ? (false, part * Columns, Math.Min((part + 1) * Columns, Stride))
            : (true, (part - Parts) * PromptColumns, Math.Min((part - Parts + 1) * PromptColumns, Stride));
    }

    private Cut CutOf(Rows rows, int stride)
    {
        var columns = _team.Size == 1 ? stride : PackedMatrix.Cut;
        var wide = ((stride + _team.Size - 1) / _team.Size + PackedMatrix.Granule - 1) / PackedMatrix.Granule * PackedMatrix.Granule;
        return new(stride, columns, rows.Plain == 0 ? 0 : (stride + columns - 1) / columns, wide, rows.Plain == rows.Count ? 0 : (stride + wide - 1) / wide);
    }

    private void Multiply(Team.Member me, Rows rows, PackedMatrix matrix, float* x, int xStride, float* y, bool add)
    {
        var cut = CutOf(rows, matrix.Stride);
        for (int part; (part = _team.Take(me, cut.All)) < cut.All;)
        {
            var (prompts, from, to) = cut[part];
            Multiply(rows, prompts, matrix, x, xStride, y, add, from, to);
        }

        _team.Sync(me);
    }

    private static void Multiply(Rows rows, bool prompts, PackedMatrix matrix, float* x, int xStride, float* y, bool add, int from, int to)
    {
        if (!prompts)
        {
            matrix.Multiply(x, xStride, y, rows.Plain, add, from, to);
            return;
        }

        // What lies between the outputs and the stride stays zero.
        var (count, stride) = (rows.Count - rows.Plain, matrix.Stride);
        to = Math.Min(to, matrix.Outputs);
        if (to <= from) return;
        matrix.Prompts!.Multiply(new(x + (long)rows.Plain * xStride, ((count - 1) * xStride) + matrix.Inputs), xStride,
            new(y + (long)rows.Plain * stride + from, ((count - 1) * stride) + to - from), stride, count, from, to - from, add);
    }

    // x += norm(input W^T + bias)
    private void AddOutput(Team.Member me, Rows rows, PackedMatrix matrix, float* input, int stride, float[]? bias, float[] norm)
    {
        if (bias is null && norm.Length == 0)
        {
            Multiply(me, rows, matrix, input, stride, _x, add: true);
            return;
        }

        Multiply(me, rows, matrix, input, stride, _normed, add: false);
        var count = rows.Count;
        fixed (float* b = bias, w = norm)
            for (int r; (r = _team.Take(me, count)) < count;)
            {
                var row = _normed + (long)r * _width;
                if (b != null) Add(row, b, _width);
                if (w != null) VectorMath.RmsNorm(row, w, row, _config.HiddenSize, _width, _config.RmsNormEps);
                Add(X(r), row, _width);
            }

        _team.Sync(me);
    }

    private void Gated(Team.Member me, Rows rows, PackedLayer layer, float* input)
    {
        var stride = _model.FeedForward;
        var cut = CutOf(rows, stride);
        for (int part; (part = _team.Take(me, cut.All)) < cut.All;)
        {
            var (prompts, from, to) = cut[part];
            Multiply(rows, prompts, layer.Gate, input, _width, _gate, add: false, from, to);
            Multiply(rows, prompts, layer.Up, input, _width, _up, add: false, from, to);
            fixed (float* gateBias = layer.GateBias, upBias = layer.UpBias)
                for (var r = prompts ? rows.Plain : 0; r < (prompts ? rows.Count : rows.Plain); r++)
                {
                    float* gate = _gate + (long)r * stride + from, up = _up + (long)r * stride + from;
                    if (gateBias != null) Add(gate, gateBias + from, to - from);
                    if (upBias != null) Add(up, upBias + from, to - from);
                    if (_config.Activation == Activation.Silu) VectorMath.SiluTimes(gate, up, gate, to - from);
                    else VectorMath.GeluTimes(gate, up, gate, to - from);
                }
        }

        _team.Sync(me);
    }

    // Norms and rotates queries and keys (the two halves of a head against each other) and writes key and value to the run.
    private void StoreKeyValue(PackedLayer layer, int l, int r)
    {
        var (row, dim, heads, kvHeads) = (_rows[r], _config.HeadDim, _config.Heads, _config.KvHeads);
        var qkv = _qkv + (long)r * _qkvStride;
        if (layer.QkvBias is not null)
            fixed (float* bias = layer.QkvBias) Add(qkv, bias, _qkvStride);
        if (_config.QueryKeyNorm == QueryKeyNorm.Projection)
        {
            VectorMath.RmsNorm(new Span<float>(qkv, heads * dim), layer.QueryNorm, _config.RmsNormEps);
            VectorMath.RmsNorm(new Span<float>(qkv + heads * dim, kvHeads * dim), layer.KeyNorm, _config.RmsNormEps);
        }
        else if (_config.QueryKeyNorm == QueryKeyNorm.Head)
            for (var head = 0; head < heads + kvHeads; head++)
                VectorMath.RmsNorm(new Span<float>(qkv + head * dim, dim), head < heads ? layer.QueryNorm : layer.KeyNorm, _config.RmsNormEps);

        if (layer.Rope is { } rope)
            fixed (float* table = rope.Upto(row.Position))
            {
                var cos = table + (long)row.Position * 2 * rope.Half;
                for (var head = 0; head < heads + kvHeads; head++) VectorMath.Rotate(qkv + head * dim, cos, cos + rope.Half, rope.Half);
            }

        var (page, index) = row.Run.At(row.Position);
        for (var head = 0; head < kvHeads; head++)
        {
            var key = qkv + (heads + head) * dim;
            var value = key + kvHeads * dim;
            var keys = page.Keys(l, head).Slice(index / KeyValues.Block * KeyValues.Block * dim, KeyValues.Block * dim);
            for (var i = 0; i < dim; i++) keys[i * KeyValues.Block + index % KeyValues.Block] = key[i];
            new ReadOnlySpan<float>(value, dim).CopyTo(page.Values(l, head)[(index * KeyValues.Pad(dim))..]);
        }
    }

    private void Attend(Team.Member me, int tiles, PackedLayer layer, int l)
    {
        // A few tiles alone are too coarse a measure to share them out evenly.
        var split = _team.Size > 1 && tiles < 8 * _team.Size ? _config.KvHeads : 1;
        var (attention, parts) = (_attention[me.Number], tiles * split);
        for (int part; (part = _team.Take(me, parts)) < parts;)
        {
            attention.Clear();
            foreach (var r in _tiles[part / split]) attention.Add(_rows[r].Run, _rows[r].Position, layer.Window, _qkv + (long)r * _qkvStride, _attended + (long)r * _qkvStride);
            if (split == 1) attention.Compute(l);
            else attention.Compute(l, part % split);
        }

        _team.Sync(me);
    }

    private static void Add(float* x, float* y, int length)
    {
        for (var i = 0; i < length; i += 8) (Vector256.Load(x + i) + Vector256.Load(y + i)).Store(x + i);
    }
}
