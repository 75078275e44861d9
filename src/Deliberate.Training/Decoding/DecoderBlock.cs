using Deliberate.Inference.Models;
using Deliberate.Training.Native;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Training.Decoding;

/// <summary>One block's parameters, and how libtorch computes it.</summary>
internal sealed class DecoderBlock
{
    private readonly ModelConfig _config;
    private readonly int _layer;

    /// <summary>Loads the parameters of a layer.</summary>
    public DecoderBlock(ModelConfig config, int layer, ParameterLoader loader)
    {
        (_config, _layer) = (config, layer);
        var prefix = $"model.layers.{layer}.";
        Parameter? Norm(string name) => loader.LoadIfAny($"{prefix}{name}.weight");
        Projection Linear(params string[] names) => new(loader.Load([.. names.Select(name => $"{prefix}{name}.weight")]), loader.LoadIfAny([.. names.Select(name => $"{prefix}{name}.bias")]));
        var (first, second) = (Norm("input_layernorm"), Norm("post_attention_layernorm"));
        PreAttention = first;
        (PostAttention, PreFeedForward) = config.NormPlacement == NormPlacement.Before ? (null, second) : (second, Norm("pre_feedforward_layernorm"));
        PostFeedForward = Norm("post_feedforward_layernorm");
        (QueryNorm, KeyNorm) = (Norm("self_attn.q_norm"), Norm("self_attn.k_norm"));
        Qkv = config.FusedProjections ? Linear("self_attn.qkv_proj") : Linear("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
        Output = Linear("self_attn.o_proj");
        GateUp = config.FusedProjections ? Linear("mlp.gate_up_proj") : Linear("mlp.gate_proj", "mlp.up_proj");
        Down = Linear("mlp.down_proj");
    }

    /// <summary>The norms that the family has.</summary>
    public Parameter? PreAttention { get; }

    public Parameter? PostAttention { get; }

    public Parameter? PreFeedForward { get; }

    public Parameter? PostFeedForward { get; }

    public Parameter? QueryNorm { get; }

    public Parameter? KeyNorm { get; }

    /// <summary>The four products.</summary>
    public Projection Qkv { get; }

    public Projection Output { get; }

    public Projection GateUp { get; }

    public Projection Down { get; }

    public IReadOnlyList<Projection> Projections => [Qkv, Output, GateUp, Down];

    /// <summary>Norms and biases.</summary>
    public IReadOnlyList<Parameter> Vectors =>
        [.. ((Parameter?[])[PreAttention, PostAttention, PreFeedForward, PostFeedForward, QueryNorm, KeyNorm, .. Projections.Select(projection => projection.Bias)]).OfType<Parameter>()];

    /// <summary>The residual stream after the block. (B, T, d) -> (B, T, d)</summary>
    public Tensor Forward(Tensor x, DecoderContext context)
    {
        var attended = Normalise(Attention(Normalise(x, PreAttention), context), PostAttention);
        x = x + attended;
        var gateUp = GateUp.Forward(Normalise(x, PreFeedForward), context.Adapted).chunk(2, -1); // (B, T, ff) twice
        var gate = _config.Activation == Activation.Silu ? F.silu(gateUp[0]) : NativeOps.GeluTanh(gateUp[0]);
        return x + Normalise(Down.Forward(gate * gateUp[1], context.Adapted), PostFeedForward);
    }

    private Tensor Attention(Tensor x, DecoderContext context)
    {
        int heads = _config.Heads, kvHeads = _config.KvHeads, dim = _config.HeadDim;
        var (batch, length) = (x.shape[0], x.shape[1]);
        var flat = Qkv.Forward(x, context.Adapted);
        Tensor q, k, v;
        if (QueryNorm is null)
        {
            var qkv = flat.view(batch, length, heads + 2 * kvHeads, dim);
            var turned = qkv.narrow(2, 0, heads + kvHeads); // queries and keys turn alike
            if (context.RotaryOf(_layer) is { } table) turned = RotaryTable.Rotate(turned, table);
            (q, k, v) = (turned.narrow(2, 0, heads), turned.narrow(2, heads, kvHeads), qkv.narrow(2, heads + kvHeads, kvHeads));
        }
        else
        {
            Tensor Part(int from, int count, Parameter? norm)
            {
                var part = flat.narrow(-1, from * dim, count * dim);
                if (norm is not null && _config.QueryKeyNorm == QueryKeyNorm.Projection) part = Normalise(part, norm);
                part = part.view(batch, length, count, dim);
                if (norm is not null && _config.QueryKeyNorm == QueryKeyNorm.Head) part = Normalise(part, norm);
                return norm is not null && context.RotaryOf(_layer) is { } table ? RotaryTable.Rotate(part, table) : part;
            }

            (q, k, v) = (Part(0, heads, QueryNorm), Part(heads, kvHeads, KeyNorm), Part(heads + kvHeads, kvHeads, null));
        }

        return Output.Forward(context.Attend(q, k, v, _layer), context.Adapted);
    }

    private Tensor Normalise(Tensor x, Parameter? norm)
    {
        if (norm is null) return x;
        var weight = _config.NormOffset == 0 ? norm.Tensor : norm.Tensor + _config.NormOffset;
        return NativeOps.RmsNorm(x, weight.dtype == x.dtype ? weight : weight.to(x.dtype), _config.RmsNormEps);
    }
}
