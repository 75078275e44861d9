using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding.Host;

/// <summary>
/// The rows of a batch that one thread takes through all blocks and back: their activations, and gradients of its own, which are
/// added to the other parts' afterwards.
/// </summary>
/// <remarks>
/// Rows lie one after the other without padding; matrices are multiplied with some tokens at a time, so that what passes between
/// them stays in the cache. What is cheap to make again (norms, SwiGLU's result, attention's probabilities) is not kept.
/// </remarks>
internal sealed unsafe class HostPart(HostWeights weights, RotaryTable rotary) : IDisposable
{
    private const int Tile = Gemm.BlockRows;

    private readonly ModelConfig _config = weights.Config;
    private readonly HostAttention _attention = new(weights.Config);
    private readonly NativeBuffer _activations = new(), _slopes = new(), _tile = new(), _gradients = new();
    private readonly HostStrides _strides = new(weights.Config, weights.Rank);
    private readonly List<(int Start, int Length)> _rows = [];
    private readonly List<int> _tokens = [], _positions = [];
    private readonly List<(int Token, int Output)> _outputs = [];
    private bool _kept;

    /// <summary>Tokens of all rows.</summary>
    public int Tokens => _tokens.Count;

    /// <summary>The gradients of the last backward pass, laid out by the weights.</summary>
    public float* Gradients => _gradients.Data;

    /// <summary>Forgets the rows.</summary>
    public void Clear()
    {
        _rows.Clear();
        _tokens.Clear();
        _positions.Clear();
        _outputs.Clear();
    }

    /// <summary>Adds a row. Its token at position p is number <c>result + p</c> here.</summary>
    public int Add(ReadOnlySpan<int> tokens)
    {
        var start = _tokens.Count;
        _rows.Add((start, tokens.Length));
        for (var position = 0; position < tokens.Length; position++)
        {
            _tokens.Add(tokens[position]);
            _positions.Add(position);
        }

        return start;
    }

    /// <summary>Asks for the hidden state of a token, as this row of the result.</summary>
    public void Ask(int token, int output) => _outputs.Add((token, output));

    /// <summary>Computes the hidden states that were asked for. -> (N, d)</summary>
    /// <param name="hidden">The result, of all parts.</param>
    /// <param name="keep">Whether a backward pass follows.</param>
    public void Forward(float* hidden, bool keep)
    {
        _kept = keep;
        var tile = _strides.TileOf(_tile);
        var x = Reserve(0).Input;
        int d = _config.HiddenSize, stride = _strides.Model;
        for (var t = 0; t < Tokens; t++)
        {
            if (weights.EmbeddingRounded == null) Copy(weights.Embedding + (long)_tokens[t] * d, x + (long)t * stride);
            else Widen(weights.EmbeddingRounded + (long)_tokens[t] * d, x + (long)t * stride);
        }

        for (var layer = 0; layer < _config.Layers; layer++) Forward(weights.Blocks[layer], Reserve(layer), Reserve(layer + 1).Input, tile);
        x = Reserve(_config.Layers).Input;
        foreach (var (token, output) in _outputs)
        {
            var state = x + (long)token * stride;
            Elementwise.RmsNorm(state, Elementwise.InverseRms(state, d, _config.RmsNormEps), weights.FinalNorm.Data, hidden + (long)output * d, d);
        }
    }

    /// <summary>Computes the gradients of everything that went into <see cref="Forward(float*, bool)"/>.</summary>
    /// <param name="hiddenSlope">The gradient of its result. (N, d)</param>
    public void Backward(float* hiddenSlope)
    {
        var gradients = _gradients.Reserve(weights.GradientLength);
        for (var at = 0L; at < weights.GradientLength; at += 1 << 20) new Span<float>(gradients + at, (int)Math.Min(1 << 20, weights.GradientLength - at)).Clear();
        int d = _config.HiddenSize, stride = _strides.Model;
        var tile = _strides.TileOf(_tile);
        var slopes = _strides.SlopesOf(_slopes, Tokens);
        for (var t = 0; t < Tokens; t++) new Span<float>(slopes.Model + (long)t * stride, d).Clear();
        var x = Reserve(_config.Layers).Input;
        foreach (var (token, output) in _outputs)
        {
            var state = x + (long)token * stride;
            Elementwise.RmsNormBackward(state, Elementwise.InverseRms(state, d, _config.RmsNormEps), weights.FinalNorm.Data, hiddenSlope + (long)output * d,
                slopes.Model + (long)token * stride, gradients + weights.FinalNorm.Gradient, d);
        }

        for (var layer = _config.Layers - 1; layer >= 0; layer--) Backward(weights.Blocks[layer], Reserve(layer), slopes, gradients, tile, further: layer > 0 || !weights.IsFrozen);
    }

    /// <summary>Adds columns of the embedding's gradient. (vocab, d)</summary>
    public void AddEmbeddingSlope(float* slope, int from, int to)
    {
        var rows = _strides.SlopesOf(_slopes, Tokens).Model;
        for (var t = 0; t < Tokens; t++) VectorMath.Add(rows + (long)t * _strides.Model + from, slope + (long)_tokens[t] * _config.HiddenSize + from, to - from);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _attention.Dispose();
        foreach (var buffer in (NativeBuffer[])[_activations, _slopes, _tile, _gradients]) buffer.Dispose();
    }

    private void Forward(HostBlock block, HostActivations a, float* result, HostTile tile)
    {
        int d = _config.HiddenSize, dim = _config.HeadDim, half = dim / 2;
        for (var t = 0; t < Tokens; t += Tile)
        {
            var count = Math.Min(Tile, Tokens - t);
            for (var i = 0; i < count; i++)
            {
                var x = a.Input + (long)(t + i) * _strides.Model;
                a.InputInverse[t + i] = Elementwise.InverseRms(x, d, _config.RmsNormEps);
                Elementwise.RmsNorm(x, a.InputInverse[t + i], block.InputNorm.Data, tile.Norm + i * _strides.Model, d);
            }

            block.Qkv.Forward(count, tile.Norm, _strides.Model, a.Qkv + (long)t * _strides.Qkv, _strides.Qkv, add: false, tile);
            Rotate(a.Qkv, t, count, 1);
        }

        foreach (var (start, length) in _rows)
            _attention.Forward(length, a.Qkv + (long)start * _strides.Qkv, _strides.Qkv, a.Attended + (long)start * _strides.Attended, _strides.Attended, a.LogSums + (long)start * _config.Heads);

        for (var t = 0; t < Tokens; t += Tile)
        {
            var count = Math.Min(Tile, Tokens - t);
            var middle = a.Middle + (long)t * _strides.Model;
            var gateUp = a.GateUp + (long)t * _strides.GateUp;
            for (var i = 0; i < count; i++) Copy(a.Input + (long)(t + i) * _strides.Model, middle + i * _strides.Model);
            block.Output.Forward(count, a.Attended + (long)t * _strides.Attended, _strides.Attended, middle, _strides.Model, add: true, tile);
            for (var i = 0; i < count; i++)
            {
                var x = middle + i * _strides.Model;
                a.MiddleInverse[t + i] = Elementwise.InverseRms(x, d, _config.RmsNormEps);
                Elementwise.RmsNorm(x, a.MiddleInverse[t + i], block.PostNorm.Data, tile.Norm + i * _strides.Model, d);
                Copy(x, result + (long)(t + i) * _strides.Model);
            }

            block.GateUp.Forward(count, tile.Norm, _strides.Model, gateUp, _strides.GateUp, add: false, tile);
            for (var i = 0; i < count; i++)
                Elementwise.SwiGlu(gateUp + i * _strides.GateUp, gateUp + i * _strides.GateUp + _config.FeedForward, tile.Inner + i * _strides.Inner, _config.FeedForward);
            block.Down.Forward(count, tile.Inner, _strides.Inner, result + (long)t * _strides.Model, _strides.Model, add: true, tile);
        }
    }

    // slopes.Model: of the block's result before, of its input afterwards.
    private void Backward(HostBlock block, HostActivations a, HostSlopes slopes, float* gradients, HostTile tile, bool further)
    {
        int d = _config.HiddenSize, ff = _config.FeedForward;
        for (var t = 0; t < Tokens; t += Tile)
        {
            var count = Math.Min(Tile, Tokens - t);
            var slope = slopes.Model + (long)t * _strides.Model;
            var middle = a.Middle + (long)t * _strides.Model;
            var gateUp = a.GateUp + (long)t * _strides.GateUp;
            var attended = a.Attended + (long)t * _strides.Attended;
            block.Down.InputSlope(count, slope, _strides.Model, tile.InnerSlope, _strides.Inner, tile);
            for (var i = 0; i < count; i++)
            {
                float* from = gateUp + i * _strides.GateUp, to = tile.GateUpSlope + i * _strides.GateUp;
                Elementwise.SwiGluBackward(from, from + ff, tile.InnerSlope + i * _strides.Inner, tile.Inner + i * _strides.Inner, to, to + ff, ff);
                Elementwise.RmsNorm(middle + i * _strides.Model, a.MiddleInverse[t + i], block.PostNorm.Data, tile.Norm + i * _strides.Model, d);
            }

            block.Down.AddSlope(count, slope, _strides.Model, tile.Inner, _strides.Inner, gradients, tile);
            block.GateUp.AddSlope(count, tile.GateUpSlope, _strides.GateUp, tile.Norm, _strides.Model, gradients, tile);
            block.GateUp.InputSlope(count, tile.GateUpSlope, _strides.GateUp, tile.NormSlope, _strides.Model, tile);
            for (var i = 0; i < count; i++)
                Elementwise.RmsNormBackward(middle + i * _strides.Model, a.MiddleInverse[t + i], block.PostNorm.Data, tile.NormSlope + i * _strides.Model,
                    slope + i * _strides.Model, gradients + block.PostNorm.Gradient, d);
            block.Output.AddSlope(count, slope, _strides.Model, attended, _strides.Attended, gradients, tile);
            block.Output.InputSlope(count, slope, _strides.Model, slopes.Attended + (long)t * _strides.Attended, _strides.Attended, tile);
        }

        foreach (var (start, length) in _rows)
            _attention.Backward(length, a.Qkv + (long)start * _strides.Qkv, _strides.Qkv, a.Attended + (long)start * _strides.Attended, slopes.Attended + (long)start * _strides.Attended,
                _strides.Attended, a.LogSums + (long)start * _config.Heads, slopes.Qkv + (long)start * _strides.Qkv);

        for (var t = 0; t < Tokens; t += Tile)
        {
            var count = Math.Min(Tile, Tokens - t);
            var x = a.Input + (long)t * _strides.Model;
            var slope = slopes.Qkv + (long)t * _strides.Qkv;
            Rotate(slopes.Qkv, t, count, -1);
            for (var i = 0; i < count; i++) Elementwise.RmsNorm(x + i * _strides.Model, a.InputInverse[t + i], block.InputNorm.Data, tile.Norm + i * _strides.Model, d);
            block.Qkv.AddSlope(count, slope, _strides.Qkv, tile.Norm, _strides.Model, gradients, tile);
            if (!further) continue; // below are only the embeddings, which are frozen
            block.Qkv.InputSlope(count, slope, _strides.Qkv, tile.NormSlope, _strides.Model, tile);
            for (var i = 0; i < count; i++)
                Elementwise.RmsNormBackward(x + i * _strides.Model, a.InputInverse[t + i], block.InputNorm.Data, tile.NormSlope + i * _strides.Model,
                    slopes.Model + (long)(t + i) * _strides.Model, gradients + block.InputNorm.Gradient, d);
        }
    }

    // Queries and keys of some tokens.
    private void Rotate(float* qkv, int first, int count, float direction)
    {
        var half = _config.HeadDim / 2;
        fixed (float* c = rotary.Cos, s = rotary.Sin)
            for (var t = first; t < first + count; t++)
                Elementwise.Rotate(qkv + (long)t * _strides.Qkv, _config.Heads + _config.KvHeads, _config.HeadDim, c + _positions[t] * half, s + _positions[t] * half, direction);
    }

    private HostActivations Reserve(int layer) => _strides.ActivationsOf(_activations, Tokens, _config.Layers, _kept, layer);

    private void Widen(ushort* from, float* to)
    {
        for (var i = 0; i < _config.HiddenSize; i++) to[i] = BFloat16.ToSingle(from[i]);
    }

    private void Copy(float* from, float* to) => new Span<float>(from, _config.HiddenSize).CopyTo(new Span<float>(to, _config.HiddenSize));
}
