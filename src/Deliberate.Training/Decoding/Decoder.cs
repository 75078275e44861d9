using Deliberate.Inference.Models;
using Deliberate.Training.Decoding.Host;
using Deliberate.Training.Native;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>
/// The Llama-style decoder with gradients: fp32 master parameters, computed in bf16 where the processor is quick at it (every
/// matrix is cast to the activations' type in the forward pass) or in fp32 throughout.
/// </summary>
/// <remarks>Not thread-safe. Query, key and value projections are one matrix here, and so are gate and up.</remarks>
public sealed class Decoder : IDisposable
{
    private readonly Tensor _embedding; // (vocab, d)
    private readonly Tensor _finalNorm; // (d)
    private readonly Block[] _blocks;
    private readonly Tensor _cos, _sin; // (1, T, 1, head/2)
    private readonly ScalarType _compute;
    private HostBody? _host;

    private sealed record Block(Tensor InputNorm, Tensor Qkv, Tensor Output, Tensor PostNorm, Tensor GateUp, Tensor Down);

    /// <summary>Builds the decoder with a copy of these weights.</summary>
    /// <param name="weights">Starting parameters; an untied output projection is not supported here.</param>
    /// <param name="bf16">Whether to compute in bf16; null asks the processor.</param>
    public Decoder(ModelWeights weights, bool? bf16 = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        TorchLibrary.Initialize();
        Config = weights.Config;
        if (!Config.TieEmbeddings) throw new NotSupportedException("Training needs tied embeddings (tie_word_embeddings: true).");
        _compute = bf16 ?? Processor.FastBf16 ? ScalarType.BFloat16 : ScalarType.Float32;
        int d = Config.HiddenSize, q = Config.Heads * Config.HeadDim, kv = Config.KvHeads * Config.HeadDim, ff = Config.FeedForward;
        _embedding = Leaf([Config.VocabSize, d], weights["model.embed_tokens.weight"]);
        _finalNorm = Leaf([d], weights["model.norm.weight"]);
        _blocks = [.. Enumerable.Range(0, Config.Layers).Select(layer =>
        {
            float[] W(string name) => weights[$"model.layers.{layer}.{name}.weight"];
            return new Block(
                Leaf([d], W("input_layernorm")),
                Leaf([q + 2 * kv, d], W("self_attn.q_proj"), W("self_attn.k_proj"), W("self_attn.v_proj")),
                Leaf([d, q], W("self_attn.o_proj")),
                Leaf([d], W("post_attention_layernorm")),
                Leaf([2 * ff, d], W("mlp.gate_proj"), W("mlp.up_proj")),
                Leaf([d, ff], W("mlp.down_proj")));
        })];
        var (cos, sin) = Rotary();
        (_cos, _sin) = (Table(cos), Table(sin));
        Body = DecoderBodies.Default(_compute == ScalarType.Float32);
    }

    /// <summary>The shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>
    /// What computes the hidden states that training asks for; plain C# where it is the faster one. <c>DELIBERATE_TRAINING</c>
    /// (torch or host) decides otherwise.
    /// </summary>
    /// <exception cref="NotSupportedException">Set to the host's body for a decoder that computes in bf16.</exception>
    public DecoderBody Body
    {
        get;
        init => field = value == DecoderBody.Host && _compute != ScalarType.Float32 ? throw new NotSupportedException("The host's body computes in fp32 alone; build the decoder with bf16: false.") : value;
    }

    /// <summary>Whether to use libtorch's own attention for rows of every length: slower for short ones, kept to compare against.</summary>
    internal bool PlainAttention { get; init; }

    /// <summary>The block matrices, which Muon trains.</summary>
    public IReadOnlyList<Tensor> Matrices => [.. _blocks.SelectMany(block => new[] { block.Qkv, block.Output, block.GateUp, block.Down })];

    /// <summary>For each of <see cref="Matrices"/> the rows of the projections that are stacked in it.</summary>
    public IReadOnlyList<IReadOnlyList<long>> MatrixParts
    {
        get
        {
            long d = Config.HiddenSize, q = Config.Heads * Config.HeadDim, kv = Config.KvHeads * Config.HeadDim, ff = Config.FeedForward;
            return [.. _blocks.SelectMany(_ => new IReadOnlyList<long>[] { [q, kv, kv], [d], [ff, ff], [d] })];
        }
    }

    /// <summary>The embedding and the norms, which AdamW trains.</summary>
    public IReadOnlyList<Tensor> Others => [_embedding, _finalNorm, .. _blocks.SelectMany(block => new[] { block.InputNorm, block.PostNorm })];

    /// <summary>All parameters.</summary>
    public IReadOnlyList<Tensor> Parameters => [.. Others, .. Matrices];

    /// <summary>The body in plain C#; null where libtorch computes it.</summary>
    internal HostBody? Host => Body == DecoderBody.Torch ? null : _host ??= new HostBody(Config, _embedding,
        [.. _blocks.SelectMany(block => (Tensor[])[block.InputNorm, block.Qkv, block.Output, block.PostNorm, block.GateUp, block.Down]), _finalNorm], Rotary().Cos, Rotary().Sin);

    /// <summary>The residual stream after the final norm, by libtorch. (B, T) token ids -> (B, T, d)</summary>
    public Tensor Hidden(Tensor tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var (batch, length) = (tokens.shape[0], tokens.shape[1]);
        if (length > Config.MaxPositions) throw new ArgumentException($"A row of {length} tokens is longer than the model's {Config.MaxPositions} positions.", nameof(tokens));
        var x = Cast(_embedding).index_select(0, tokens.flatten()).view(batch, length, Config.HiddenSize);
        var cos = _cos.narrow(1, 0, length);
        var sin = _sin.narrow(1, 0, length);
        var mask = PlainAttention || length > CausalAttention.LongestGrouped ? null : CausalAttention.Mask(length, Config.Heads / Config.KvHeads, _compute);
        foreach (var block in _blocks)
        {
            x = x + Attention(block, NativeOps.RmsNorm(x, Cast(block.InputNorm), Config.RmsNormEps), batch, length, cos, sin, mask);
            var gateUp = F.linear(NativeOps.RmsNorm(x, Cast(block.PostNorm), Config.RmsNormEps), Cast(block.GateUp)).chunk(2, -1); // (B, T, ff) twice
            x = x + F.linear(F.silu(gateUp[0]) * gateUp[1], Cast(block.Down));
        }

        return NativeOps.RmsNorm(x, Cast(_finalNorm), Config.RmsNormEps);
    }

    /// <summary>Logits of chosen hidden states, fp32. (N, d) -> (N, vocab)</summary>
    public Tensor Logits(Tensor hidden) => F.linear(hidden, Cast(_embedding)).to(ScalarType.Float32);

    /// <summary>A copy of the parameters under Hugging Face's names.</summary>
    public ModelWeights ToWeights()
    {
        using var scope = NewDisposeScope();
        var weights = new ModelWeights(Config);
        Copy(_embedding, weights["model.embed_tokens.weight"]);
        Copy(_finalNorm, weights["model.norm.weight"]);
        for (var layer = 0; layer < _blocks.Length; layer++)
        {
            float[] W(string name) => weights[$"model.layers.{layer}.{name}.weight"];
            var block = _blocks[layer];
            Copy(block.InputNorm, W("input_layernorm"));
            Copy(block.Qkv, W("self_attn.q_proj"), W("self_attn.k_proj"), W("self_attn.v_proj"));
            Copy(block.Output, W("self_attn.o_proj"));
            Copy(block.PostNorm, W("post_attention_layernorm"));
            Copy(block.GateUp, W("mlp.gate_proj"), W("mlp.up_proj"));
            Copy(block.Down, W("mlp.down_proj"));
        }

        return weights;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _host?.Dispose();
        foreach (var parameter in Parameters) parameter.Dispose();
        _cos.Dispose();
        _sin.Dispose();
    }

    private Tensor Attention(Block block, Tensor x, long batch, long length, Tensor cos, Tensor sin, Tensor? mask)
    {
        int heads = Config.Heads, kvHeads = Config.KvHeads, dim = Config.HeadDim;
        var qkv = F.linear(x, Cast(block.Qkv)).view(batch, length, heads + 2 * kvHeads, dim);
        var rotated = Rotate(qkv.narrow(2, 0, heads + kvHeads), cos, sin); // queries and keys turn alike
        var (q, k, v) = (rotated.narrow(2, 0, heads), rotated.narrow(2, heads, kvHeads), qkv.narrow(2, heads + kvHeads, kvHeads));
        var attended = mask is null ? CausalAttention.Plain(q, k, v) : CausalAttention.Grouped(q, k, v, mask);
        return F.linear(attended, Cast(block.Output));
    }

    // Rotates the two halves of each head against each other (the layout of Hugging Face's Llama).
    private static Tensor Rotate(Tensor x, Tensor cos, Tensor sin)
    {
        var halves = x.chunk(2, -1);
        return cat([halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin], -1);
    }

    // (positions, dim / 2) each
    private (float[] Cos, float[] Sin) Rotary()
    {
        var half = Config.HeadDim / 2;
        var cos = new float[Config.MaxPositions * half];
        var sin = new float[cos.Length];
        for (var position = 0; position < Config.MaxPositions; position++)
            for (var i = 0; i < half; i++)
            {
                var angle = position * Math.Pow(Config.RopeTheta, -2.0 * i / Config.HeadDim);
                cos[position * half + i] = (float)Math.Cos(angle);
                sin[position * half + i] = (float)Math.Sin(angle);
            }

        return (cos, sin);
    }

    private Tensor Table(float[] values) => tensor(values, [1, Config.MaxPositions, 1, Config.HeadDim / 2]).to(_compute).DetachFromDisposeScope();

    private Tensor Cast(Tensor parameter) => _compute == ScalarType.Float32 ? parameter : parameter.to(_compute);

    private static Tensor Leaf(long[] shape, params float[][] parts) =>
        tensor(parts.Length == 1 ? parts[0] : [.. parts.SelectMany(part => part)], shape).DetachFromDisposeScope().requires_grad_();

    private static void Copy(Tensor source, params float[][] targets)
    {
        using var flat = source.detach().contiguous();
        var data = flat.data<float>().ToArray();
        var at = 0;
        foreach (var target in targets)
        {
            data.AsSpan(at, target.Length).CopyTo(target);
            at += target.Length;
        }
    }
}
