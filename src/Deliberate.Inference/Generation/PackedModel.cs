using System.Runtime.InteropServices;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Generation;

/// <summary>A model's parameters in the layouts that generation reads. Widths are padded to whole vectors with zeros.</summary>
internal sealed class PackedModel : IDisposable
{
    // Above this, bf16 is worth having: the weights do not stay in a processor's cache.
    private const long Large = 32_000_000;

    private readonly float[]? _embedding; // fp32: (vocab, Width)
    private readonly ushort[]? _shortEmbedding; // untied bf16 or int8: (vocab, d); tied ones are read back from the head

    public PackedModel(ModelConfig config, WeightStorage storage = WeightStorage.Fp32)
    {
        (Config, Storage) = (config, storage);
        Width = Pad(config.HiddenSize);
        FeedForward = Pad(config.FeedForward);
        int d = config.HiddenSize, q = config.Heads * config.HeadDim, kv = config.KvHeads * config.HeadDim;
        if (storage == WeightStorage.Fp32) _embedding = Pinned(checked(config.VocabSize * Width));
        else if (!config.TieEmbeddings) _shortEmbedding = new ushort[checked(config.VocabSize * d)];
        Head = new(config.VocabSize, d, storage);
        FinalNorm = Pinned(Width);
        var ropes = new Dictionary<bool, RopeTable>();
        Layers = [.. Enumerable.Range(0, config.Layers).Select(layer => new PackedLayer
        {
            Qkv = new(q + 2 * kv, d, storage),
            Output = new(d, q, storage),
            Gate = new(config.FeedForward, d, storage),
            Up = new(config.FeedForward, d, storage),
            Down = new(d, config.FeedForward, storage),
            Window = config.WindowOf(layer),
            Rope = config.NoRopeLayers.Contains(layer) ? null
                : CollectionsMarshal.GetValueRefOrAddDefault(ropes, config.LocalRopeTheta is not null && config.SlidingLayers.Contains(layer), out _) ??= new(config, layer),
        })];
    }

    public ModelConfig Config { get; }

    /// <summary>How matrices are kept; never <see cref="WeightStorage.Auto"/>.</summary>
    public WeightStorage Storage { get; }

    /// <summary>Width of the residual stream in memory.</summary>
    public int Width { get; }

    /// <summary>Inner width of the feed-forward block in memory.</summary>
    public int FeedForward { get; }

    public PackedMatrix Head { get; } // d -> vocab

    public float[] FinalNorm { get; }

    public PackedLayer[] Layers { get; }

    /// <summary>Bytes of all matrices and the embedding.</summary>
    public long Bytes => Head.Bytes + Matrices.Sum(matrix => matrix.Bytes)
        + (_embedding?.Length ?? 0) * 4L + (_shortEmbedding?.Length ?? 0) * 2L;

    /// <summary>What <see cref="WeightStorage.Auto"/> means for these weights.</summary>
    public static WeightStorage Choose(ModelWeights weights, WeightStorage wanted) => wanted != WeightStorage.Auto ? wanted
        : IsLarge(weights) && weights.Config.Tensors().All(tensor => IsBf16(weights, tensor.Name)) ? WeightStorage.Bf16 : WeightStorage.Fp32;

    /// <summary>Whether one pass over the weights is work enough for all threads together.</summary>
    public static bool IsLarge(ModelWeights weights) => weights.Parameters > Large;

    /// <summary>Takes new parameters of the same shape.</summary>
    public void Load(ModelWeights weights)
    {
        if (weights.Config != Config) throw new ArgumentException("The new parameters are of another shape than the generator's.", nameof(weights));
        var (d, config) = (Config.HiddenSize, Config);
        const string Embedding = "model.embed_tokens.weight";
        if (_embedding is not null)
            for (var token = 0; token < config.VocabSize; token++) weights.Read(Embedding, (long)token * d, _embedding.AsSpan(token * Width, d));
        if (_shortEmbedding is not null)
        {
            var row = new float[d];
            for (var token = 0; token < config.VocabSize; token++)
            {
                weights.Read(Embedding, (long)token * d, row);
                for (var i = 0; i < d; i++) _shortEmbedding[token * d + i] = BFloat16.FromSingle(row[i]);
            }
        }

        Fill(Head, config.TieEmbeddings ? [(Embedding, 0, config.VocabSize)] : [("lm_head.weight", 0, config.VocabSize)]);
        Norm("model.norm", true, Width).CopyTo(FinalNorm, 0);
        int q = config.Heads * config.HeadDim, kv = config.KvHeads * config.HeadDim, f = config.FeedForward;
        for (var i = 0; i < Layers.Length; i++)
        {
            var layer = Layers[i];
            string Name(string name) => $"model.layers.{i}.{name}";
            var (before, after) = (config.NormPlacement != NormPlacement.After, config.NormPlacement != NormPlacement.Before);
            layer.PreAttention = Norm(Name("input_layernorm"), before, Width);
            layer.PostAttention = Norm(Name("post_attention_layernorm"), after, Width);
            layer.PreFeedForward = Norm(Name(config.NormPlacement == NormPlacement.Before ? "post_attention_layernorm" : "pre_feedforward_layernorm"), before, Width);
            layer.PostFeedForward = Norm(Name("post_feedforward_layernorm"), after, Width);
            var perHead = config.QueryKeyNorm == QueryKeyNorm.Head;
            layer.QueryNorm = Norm(Name("self_attn.q_norm"), config.QueryKeyNorm != QueryKeyNorm.None, perHead ? config.HeadDim : q);
            layer.KeyNorm = Norm(Name("self_attn.k_norm"), config.QueryKeyNorm != QueryKeyNorm.None, perHead ? config.HeadDim : kv);

            string Weight(string name) => Name(name + ".weight");
            if (config.FusedProjections)
            {
                Fill(layer.Qkv, (Weight("self_attn.qkv_proj"), 0, q + 2 * kv));
                Fill(layer.Gate, (Weight("mlp.gate_up_proj"), 0, f));
                Fill(layer.Up, (Weight("mlp.gate_up_proj"), f, f));
            }
            else
            {
                Fill(layer.Qkv, (Weight("self_attn.q_proj"), 0, q), (Weight("self_attn.k_proj"), 0, kv), (Weight("self_attn.v_proj"), 0, kv));
                Fill(layer.Gate, (Weight("mlp.gate_proj"), 0, f));
                Fill(layer.Up, (Weight("mlp.up_proj"), 0, f));
            }

            Fill(layer.Output, (Weight("self_attn.o_proj"), 0, d));
            Fill(layer.Down, (Weight("mlp.down_proj"), 0, d));
            layer.QkvBias = Bias(config.QkvBias, layer.Qkv.Stride, (Name("self_attn.q_proj.bias"), q), (Name("self_attn.k_proj.bias"), kv), (Name("self_attn.v_proj.bias"), kv));
            layer.OutputBias = Bias(config.OutputBias, Width, (Name("self_attn.o_proj.bias"), d));
            layer.GateBias = Bias(config.MlpBias, FeedForward, (Name("mlp.gate_proj.bias"), f));
            layer.UpBias = Bias(config.MlpBias, FeedForward, (Name("mlp.up_proj.bias"), f));
            layer.DownBias = Bias(config.MlpBias, Width, (Name("mlp.down_proj.bias"), d));
        }

        // Rows of tensors, one part below the other.
        void Fill(PackedMatrix matrix, params (string Name, int First, int Rows)[] parts) => matrix.Load((output, values) =>
        {
            foreach (var (name, first, rows) in parts)
            {
                if (output < rows)
                {
                    weights.Read(name, (long)(first + output) * matrix.Inputs, values);
                    return;
                }

                output -= rows;
            }
        });

        float[] Norm(string name, bool there, int padded)
        {
            if (!there) return [];
            var norm = Pinned(padded);
            var count = name.Contains("self_attn", StringComparison.Ordinal) ? padded : d;
            weights.Read(name + ".weight", 0, norm.AsSpan(0, count));
            for (var i = 0; i < count; i++) norm[i] += config.NormOffset;
            return norm;
        }

        float[]? Bias(bool there, int padded, params (string Name, int Count)[] parts)
        {
            if (!there) return null;
            var (bias, at) = (Pinned(padded), 0);
            foreach (var (name, count) in parts)
            {
                weights.Read(name, 0, bias.AsSpan(at, count));
                at += count;
            }

            return bias;
        }
    }

    /// <summary>Whether the tokens of prompts are multiplied by other means than new ones.</summary>
    public bool TakesPrompts { get; private set; }

    /// <summary>Has the tokens of prompts multiplied by other means with all matrices but the head, which they seldom pass.</summary>
    public void Offer(IPromptMatrices prompts)
    {
        foreach (var matrix in Matrices) matrix.Offer(prompts);
        TakesPrompts = true;
    }

    /// <summary>Gives back what <see cref="Offer"/> took.</summary>
    public void Dispose()
    {
        foreach (var matrix in Matrices) matrix.Prompts?.Dispose();
    }

    /// <summary>A token's row of the embedding, scaled. (Width)</summary>
    public void Embed(int token, Span<float> row)
    {
        var d = Config.HiddenSize;
        if (_embedding is not null) _embedding.AsSpan(token * Width, Width).CopyTo(row);
        else
        {
            if (_shortEmbedding is null) Head.Row(token, row[..d]);
            else for (var i = 0; i < d; i++) row[i] = BFloat16.ToSingle(_shortEmbedding[token * d + i]);
            row[d..].Clear();
        }

        if (Config.EmbeddingScale != 1)
            foreach (ref var value in row) value *= Config.EmbeddingScale;
    }

    private IEnumerable<PackedMatrix> Matrices => Layers.SelectMany(layer => layer.Matrices);

    private static bool IsBf16(ModelWeights weights, string name)
    {
        if (weights.Stored(name, out var type, out _)) return type == TensorType.BF16;
        foreach (var value in weights[name])
            if ((BitConverter.SingleToUInt32Bits(value) & 0xFFFF) != 0) return false;
        return true;
    }

    private static int Pad(int width) => (width + PackedMatrix.Granule - 1) / PackedMatrix.Granule * PackedMatrix.Granule;

    private static float[] Pinned(int length) => GC.AllocateArray<float>(length, pinned: true);
}

/// <summary>One decoder block. A norm that the model has not is empty, a bias null.</summary>
internal sealed class PackedLayer
{
    public required PackedMatrix Qkv { get; init; }

    public required PackedMatrix Output { get; init; }

    public required PackedMatrix Gate { get; init; }

    public required PackedMatrix Up { get; init; }

    public required PackedMatrix Down { get; init; }

    /// <summary>All of them.</summary>
    public IEnumerable<PackedMatrix> Matrices => [Qkv, Output, Gate, Up, Down];

    /// <summary>Positions that a query sees, itself among them; null: all.</summary>
    public required int? Window { get; init; }

    /// <summary>Null where the layer has no positions.</summary>
    public required RopeTable? Rope { get; init; }

    public float[] PreAttention { get; set; } = [];

    public float[] PostAttention { get; set; } = [];

    public float[] PreFeedForward { get; set; } = [];

    public float[] PostFeedForward { get; set; } = [];

    public float[] QueryNorm { get; set; } = [];

    public float[] KeyNorm { get; set; } = [];

    public float[]? QkvBias { get; set; }

    public float[]? OutputBias { get; set; }

    public float[]? GateBias { get; set; }

    public float[]? UpBias { get; set; }

    public float[]? DownBias { get; set; }
}
