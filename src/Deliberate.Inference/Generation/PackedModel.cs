using Deliberate.Inference.Models;

namespace Deliberate.Inference.Generation;

/// <summary>A model's parameters in the layouts that generation reads. Widths are padded to whole vectors with zeros.</summary>
internal sealed class PackedModel
{
    public PackedModel(ModelConfig config)
    {
        Config = config;
        Width = Pad(config.HiddenSize);
        FeedForward = Pad(config.FeedForward);
        int d = config.HiddenSize, q = config.Heads * config.HeadDim, kv = config.KvHeads * config.HeadDim;
        Embedding = Pinned(config.VocabSize * Width);
        Head = new(config.VocabSize, d);
        FinalNorm = Pinned(Width);
        Layers = [.. Enumerable.Range(0, config.Layers).Select(_ => new PackedLayer(Pinned(Width), new(q + 2 * kv, d), new(d, q), Pinned(Width), new(config.FeedForward, d), new(config.FeedForward, d), new(d, config.FeedForward)))];
        var half = config.HeadDim / 2;
        Cos = new float[config.MaxPositions * half];
        Sin = new float[Cos.Length];
        for (var position = 0; position < config.MaxPositions; position++)
            for (var i = 0; i < half; i++)
            {
                var angle = position * Math.Pow(config.RopeTheta, -2.0 * i / config.HeadDim);
                (Cos[position * half + i], Sin[position * half + i]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
            }
    }

    public ModelConfig Config { get; }

    /// <summary>Width of the residual stream in memory.</summary>
    public int Width { get; }

    /// <summary>Inner width of the feed-forward block in memory.</summary>
    public int FeedForward { get; }

    public float[] Embedding { get; } // (vocab, Width)

    public PackedMatrix Head { get; } // d -> vocab

    public float[] FinalNorm { get; }

    public PackedLayer[] Layers { get; }

    public float[] Cos { get; } // (positions, head / 2)

    public float[] Sin { get; }

    /// <summary>Takes new parameters of the same shape.</summary>
    public void Load(ModelWeights weights)
    {
        if (weights.Config != Config) throw new ArgumentException("The new parameters are of another shape than the generator's.", nameof(weights));
        var embedding = weights["model.embed_tokens.weight"];
        for (var token = 0; token < Config.VocabSize; token++)
            embedding.AsSpan(token * Config.HiddenSize, Config.HiddenSize).CopyTo(Embedding.AsSpan(token * Width));
        Head.Load(Config.TieEmbeddings ? embedding : weights["lm_head.weight"]);
        weights["model.norm.weight"].CopyTo(FinalNorm, 0);
        for (var i = 0; i < Layers.Length; i++)
        {
            float[] W(string name) => weights[$"model.layers.{i}.{name}.weight"];
            var layer = Layers[i];
            W("input_layernorm").CopyTo(layer.InputNorm, 0);
            layer.Qkv.Load(W("self_attn.q_proj"), W("self_attn.k_proj"), W("self_attn.v_proj"));
            layer.Output.Load(W("self_attn.o_proj"));
            W("post_attention_layernorm").CopyTo(layer.PostNorm, 0);
            layer.Gate.Load(W("mlp.gate_proj"));
            layer.Up.Load(W("mlp.up_proj"));
            layer.Down.Load(W("mlp.down_proj"));
        }
    }

    private static int Pad(int width) => (width + PackedMatrix.Granule - 1) / PackedMatrix.Granule * PackedMatrix.Granule;

    private static float[] Pinned(int length) => GC.AllocateArray<float>(length, pinned: true);
}

/// <summary>One decoder block.</summary>
internal sealed record PackedLayer(float[] InputNorm, PackedMatrix Qkv, PackedMatrix Output, float[] PostNorm, PackedMatrix Gate, PackedMatrix Up, PackedMatrix Down);
