using Deliberate.Inference.Models;
using Deliberate.Training.Native;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Bench;

/// <summary>
/// Greedy generation with TorchSharp, written to be quick: one batch of equally long prompts (so nothing is padded), fused
/// query-key-value and gate-up products, a fused RMSNorm, key-value heads that are never repeated, a cache that is allocated
/// once and read as a view, and inference mode.
/// </summary>
internal sealed class TorchGenerator : IDisposable
{
    private readonly ModelConfig _config;
    private readonly Tensor _embedding, _finalNorm, _cos, _sin;
    private readonly Layer[] _layers;

    private sealed record Layer(Tensor InputNorm, Tensor Qkv, Tensor Output, Tensor PostNorm, Tensor GateUp, Tensor Down);

    public TorchGenerator(ModelWeights weights)
    {
        TorchLibrary.Initialize();
        using var mode = inference_mode();
        _config = weights.Config;
        int d = _config.HiddenSize, q = _config.Heads * _config.HeadDim, kv = _config.KvHeads * _config.HeadDim, ff = _config.FeedForward;
        _embedding = Make([_config.VocabSize, d], weights["model.embed_tokens.weight"]);
        _finalNorm = Make([d], weights["model.norm.weight"]);
        _layers = [.. Enumerable.Range(0, _config.Layers).Select(layer =>
        {
            float[] W(string name) => weights[$"model.layers.{layer}.{name}.weight"];
            return new Layer(
                Make([d], W("input_layernorm")), Make([q + 2 * kv, d], W("self_attn.q_proj"), W("self_attn.k_proj"), W("self_attn.v_proj")), Make([d, q], W("self_attn.o_proj")),
                Make([d], W("post_attention_layernorm")), Make([2 * ff, d], W("mlp.gate_proj"), W("mlp.up_proj")), Make([d, ff], W("mlp.down_proj")));
        })];
        var half = _config.HeadDim / 2;
        var angles = Enumerable.Range(0, _config.MaxPositions).SelectMany(position => Enumerable.Range(0, half).Select(i => position * Math.Pow(_config.RopeTheta, -2.0 * i / _config.HeadDim))).ToArray();
        _cos = Make([1, _config.MaxPositions, 1, half], [.. angles.Select(angle => (float)Math.Cos(angle))]);
        _sin = Make([1, _config.MaxPositions, 1, half], [.. angles.Select(angle => (float)Math.Sin(angle))]);
    }

    /// <summary>Continues all prompts by this many tokens.</summary>
    public int[][] Generate(int[][] prompts, int newTokens)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        int batch = prompts.Length, length = prompts[0].Length;
        long[] shape = [batch, _config.KvHeads, length + newTokens, _config.HeadDim];
        var caches = _layers.Select(_ => (Keys: empty(shape), Values: empty(shape))).ToArray();
        var tokens = tensor(prompts.SelectMany(prompt => prompt.Select(token => (long)token)).ToArray(), [batch, length]);
        var results = prompts.Select(_ => new int[newTokens]).ToArray();
        for (var step = 0; step < newTokens; step++)
        {
            using var inner = NewDisposeScope();
            var next = Logits(tokens, step == 0 ? 0 : length + step - 1, caches).argmax(-1);
            var chosen = next.data<long>();
            for (var i = 0; i < batch; i++) results[i][step] = (int)chosen[i];
            tokens = next.unsqueeze(1).MoveToOuterDisposeScope();
        }

        return results;
    }

    public void Dispose()
    {
        foreach (var tensor in (Tensor[])[_embedding, _finalNorm, _cos, _sin]) tensor.Dispose();
        foreach (var layer in _layers)
            foreach (var tensor in (Tensor[])[layer.InputNorm, layer.Qkv, layer.Output, layer.PostNorm, layer.GateUp, layer.Down]) tensor.Dispose();
    }

    // Logits after the last of the tokens that start at this position. (B, T) -> (B, vocab)
    private Tensor Logits(Tensor tokens, int start, (Tensor Keys, Tensor Values)[] caches)
    {
        var (batch, count) = (tokens.shape[0], tokens.shape[1]);
        int heads = _config.Heads, kvHeads = _config.KvHeads, dim = _config.HeadDim, groups = heads / kvHeads;
        var x = _embedding.index_select(0, tokens.flatten()).view(batch, count, _config.HiddenSize);
        var (cos, sin) = (_cos.narrow(1, start, count), _sin.narrow(1, start, count));
        var mask = count == 1 ? null : full([count, count], float.NegativeInfinity).triu(1).repeat_interleave(groups, 0);
        for (var l = 0; l < _layers.Length; l++)
        {
            var layer = _layers[l];
            var qkv = F.linear(NativeOps.RmsNorm(x, layer.InputNorm, _config.RmsNormEps), layer.Qkv).view(batch, count, heads + 2 * kvHeads, dim);
            var halves = qkv.narrow(2, 0, heads + kvHeads).chunk(2, -1);
            var rotated = cat([halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin], -1);
            caches[l].Keys.narrow(2, start, count).copy_(rotated.narrow(2, heads, kvHeads).transpose(1, 2));
            caches[l].Values.narrow(2, start, count).copy_(qkv.narrow(2, heads + kvHeads, kvHeads).transpose(1, 2));
            var keys = caches[l].Keys.narrow(2, 0, start + count); // (B, kv heads, T, dim)
            var values = caches[l].Values.narrow(2, 0, start + count);
            // Row t * groups + j is head j of the group at position t.
            var q = (rotated.narrow(2, 0, heads) * (1 / Math.Sqrt(dim))).view(batch, count, kvHeads, groups * dim).transpose(1, 2).reshape(batch, kvHeads, count * groups, dim);
            var scores = matmul(q, keys.transpose(2, 3));
            if (mask is not null) scores.add_(mask);
            var attended = matmul(F.softmax(scores, -1), values).view(batch, kvHeads, count, groups * dim).transpose(1, 2).reshape(batch, count, heads * dim);
            x = x + F.linear(attended, layer.Output);
            var gateUp = F.linear(NativeOps.RmsNorm(x, layer.PostNorm, _config.RmsNormEps), layer.GateUp).chunk(2, -1);
            x = x + F.linear(F.silu(gateUp[0]) * gateUp[1], layer.Down);
        }

        return F.linear(NativeOps.RmsNorm(x.narrow(1, count - 1, 1).squeeze(1), _finalNorm, _config.RmsNormEps), _embedding);
    }

    private static Tensor Make(long[] shape, params float[][] parts) => tensor(parts.Length == 1 ? parts[0] : [.. parts.SelectMany(part => part)], shape).DetachFromDisposeScope();
}
