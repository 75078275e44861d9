using Deliberate.Inference.Models;
using Deliberate.Training.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Deliberate.Bench;

/// <summary>
/// A plain Llama as one would write it with TorchSharp after transformers' code: one linear layer a projection, norms of single operators,
/// repeated key-value heads, libtorch's attention, logits of every token, TorchSharp's own AdamW. With a rank, LoRA on every projection.
/// </summary>
internal sealed class EagerModel : IDisposable
{
    private readonly ModelConfig _config;
    private readonly Dictionary<string, Parameter> _weights = [];
    private readonly Dictionary<string, (Parameter A, Parameter B)> _adapters = [];
    private readonly Parameter[] _trained;
    private readonly optim.Optimizer _optimizer;
    private readonly double _scale;

    public EagerModel(ModelWeights weights, int rank, double alpha)
    {
        TorchLibrary.Initialize();
        (_config, _scale) = (weights.Config, rank == 0 ? 0 : alpha / rank);
        foreach (var (name, shape) in _config.Tensors())
        {
            var values = new float[shape.Aggregate(1, (product, size) => product * size)];
            weights.Read(name, 0, values);
            _weights[name] = new Parameter(tensor(values, [.. shape.Select(size => (long)size)]), requires_grad: rank == 0);
            if (rank == 0 || shape.Length != 2 || !name.StartsWith("model.layers.", StringComparison.Ordinal)) continue;
            _adapters[name] = (new Parameter(rand([rank, shape[1]]) * 0.02), new Parameter(zeros([shape[0], rank])));
        }

        _trained = rank == 0 ? [.. _weights.Values] : [.. _adapters.Values.SelectMany(adapter => (Parameter[])[adapter.A, adapter.B])];
        _optimizer = optim.AdamW(_trained, lr: 1e-4);
    }

    /// <summary>One step over rows of equal length; returns the loss.</summary>
    public double Step(TokenRow[] rows)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (rows.Length, rows[0].Tokens.Length);
        var tokens = tensor([.. rows.SelectMany(row => row.Tokens.Select(token => (long)token))], [batch, length]);
        var labels = tensor([.. rows.SelectMany(row => row.Tokens.Zip(row.LossWeights, (token, weight) => weight == 0 ? -100L : token))], [batch, length]);
        var logits = Forward(tokens);
        var loss = F.cross_entropy(logits.narrow(1, 0, length - 1).reshape(-1, _config.VocabSize), labels.narrow(1, 1, length - 1).reshape(-1), ignore_index: -100);
        foreach (var parameter in _trained) parameter.grad?.zero_();
        loss.backward();
        nn.utils.clip_grad_norm_(_trained, 1);
        _optimizer.step();
        return loss.ToDouble();
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        foreach (var tensor in _weights.Values) tensor.Dispose();
        foreach (var (a, b) in _adapters.Values)
        {
            a.Dispose();
            b.Dispose();
        }
    }

    private Tensor Forward(Tensor tokens)
    {
        var (batch, length, dim) = (tokens.shape[0], tokens.shape[1], _config.HeadDim);
        var inverse = tensor(_config.RopeOf(0)!.Inverse);
        var angles = arange(length).to(ScalarType.Float32).unsqueeze(1) * inverse;
        angles = cat([angles, angles], -1); // (T, dim)
        var (cos, sin) = (angles.cos(), angles.sin());
        var x = _weights["model.embed_tokens.weight"].index_select(0, tokens.flatten()).view(batch, length, -1);
        for (var layer = 0; layer < _config.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            var normal = Norm(x, prefix + "input_layernorm.weight");
            Tensor Heads(string name, int heads) => Linear(normal, $"{prefix}self_attn.{name}_proj.weight").view(batch, length, heads, dim).transpose(1, 2);
            Tensor Rotate(Tensor y) => y * cos + cat([-y.narrow(-1, dim / 2, dim / 2), y.narrow(-1, 0, dim / 2)], -1) * sin;
            Tensor Repeat(Tensor y) => y.repeat_interleave(_config.Heads / _config.KvHeads, 1);
            var (q, k, v) = (Rotate(Heads("q", _config.Heads)), Repeat(Rotate(Heads("k", _config.KvHeads))), Repeat(Heads("v", _config.KvHeads)));
            var attended = F.scaled_dot_product_attention(q, k, v, is_casual: true).transpose(1, 2).reshape(batch, length, -1);
            x = x + Linear(attended, prefix + "self_attn.o_proj.weight");
            normal = Norm(x, prefix + "post_attention_layernorm.weight");
            x = x + Linear(F.silu(Linear(normal, prefix + "mlp.gate_proj.weight")) * Linear(normal, prefix + "mlp.up_proj.weight"), prefix + "mlp.down_proj.weight");
        }

        return F.linear(Norm(x, "model.norm.weight"), _weights["model.embed_tokens.weight"]);
    }

    private Tensor Norm(Tensor x, string name) => _weights[name] * (x * rsqrt(x.pow(2).mean([-1], keepdim: true) + _config.RmsNormEps));

    private Tensor Linear(Tensor x, string name)
    {
        var y = F.linear(x, _weights[name]);
        return _adapters.TryGetValue(name, out var adapter) ? y + F.linear(F.linear(x, adapter.A), adapter.B) * _scale : y;
    }
}
