using Deliberate.Inference.Models;

namespace Deliberate.Inference.Weights.Gguf;

/// <summary>The configuration that a GGUF file's metadata and tensors describe.</summary>
internal static class GgufConfig
{
    private const string Factors = "rope_freqs.weight";

    public static ModelConfig Read(GgufFile file)
    {
        var architecture = file.Metadata.TryGetValue("general.architecture", out var value) && value is string text ? text
            : throw file.Error($"metadata 'general.architecture' is missing or no text.");
        var fields = new GgufFields(file, architecture);
        if (fields.Has("expert_count") && fields.Number("expert_count") > 0) throw fields.Error("expert_count", "says mixture of experts; only dense decoders are read");
        var family = architecture switch
        {
            // llama.cpp keeps Mistral under llama; only a window tells them apart, and only then does it matter.
            "llama" => fields.Has("attention.sliding_window") ? ModelFamily.Mistral : ModelFamily.Llama,
            "qwen2" => ModelFamily.Qwen2,
            "qwen3" => ModelFamily.Qwen3,
            "gemma2" => ModelFamily.Gemma2,
            "gemma3" => ModelFamily.Gemma3,
            _ => throw file.Error($"architecture '{architecture}' is not imported; llama (with Mistral), qwen2, qwen3, gemma2 and gemma3 are."),
        };
        if (!file.Tensors.TryGetValue("token_embd.weight", out var embedding) || embedding.Shape.Count != 2) throw file.Error($"tensor 'token_embd.weight' is missing or no matrix.");
        var isGemma = family is ModelFamily.Gemma2 or ModelFamily.Gemma3;
        int heads = fields.Number("attention.head_count"), hidden = fields.Number("embedding_length"), layers = fields.Number("block_count"), positions = fields.Number("context_length");
        var headDim = fields.Number("attention.key_length", hidden / heads);
        if (layers > 10_000) throw fields.Error("block_count", $"is {layers}; at most 10000 are read");
        if ((long)heads * headDim > 1 << 28) throw fields.Error("attention.head_count", $"times head width ({headDim}) is too wide");
        if (headDim == 0 || headDim % 2 != 0 || fields.Number("rope.dimension_count", headDim) != headDim) throw fields.Error("rope.dimension_count", "is not the width of a head; only whole heads are turned");
        if (fields.Number("attention.value_length", headDim) != headDim) throw fields.Error("attention.value_length", "differs from key_length");
        var bias = file.Tensors.ContainsKey("blk.0.attn_output.bias");
        var config = new ModelConfig
        {
            Family = family,
            VocabSize = (int)embedding.Shape[0],
            HiddenSize = hidden,
            Layers = layers,
            Heads = heads,
            KvHeads = fields.Number("attention.head_count_kv", heads),
            HeadDim = headDim,
            FeedForward = fields.Number("feed_forward_length"),
            MaxPositions = positions,
            RopeTheta = fields.Real("rope.freq_base", family == ModelFamily.Gemma3 ? 1_000_000 : 10_000),
            LocalRopeTheta = family == ModelFamily.Gemma3 ? fields.Real("rope.freq_base_swa", 10_000) : null,
            RmsNormEps = fields.Real("attention.layer_norm_rms_epsilon"),
            TieEmbeddings = !file.Tensors.ContainsKey("output.weight"),
            Activation = isGemma ? Activation.GeluTanh : Activation.Silu,
            QkvBias = bias || family == ModelFamily.Qwen2,
            OutputBias = bias,
            MlpBias = family == ModelFamily.Llama && file.Tensors.ContainsKey("blk.0.ffn_up.bias"),
            QueryKeyNorm = family is ModelFamily.Qwen3 or ModelFamily.Gemma3 ? QueryKeyNorm.Head : QueryKeyNorm.None,
            NormPlacement = isGemma ? NormPlacement.Sandwich : NormPlacement.Before,
            NormOffset = isGemma ? 1 : 0,
            EmbeddingScale = isGemma ? MathF.Sqrt(hidden) : 1,
            // The files do not hold it; the two 27B models alone divide by the width of the stream a head has.
            QueryScalar = isGemma ? (family, layers) is (ModelFamily.Gemma2, 46) or (ModelFamily.Gemma3, 62) ? hidden / heads : headDim : null,
            AttentionSoftcap = family == ModelFamily.Gemma2 ? fields.Real("attn_logit_softcapping", 50) : null,
            LogitSoftcap = family == ModelFamily.Gemma2 ? fields.Real("final_logit_softcapping", 30) : null,
        };
        if (config.Heads % config.KvHeads != 0) throw fields.Error("attention.head_count_kv", $"({config.KvHeads}) does not divide head_count ({heads})");
        return Window(fields, config with { RopeScaling = Scaling(file, fields, config) });
    }

    /// <summary>Whether a tensor only repeats what the configuration says.</summary>
    public static bool IsConfiguration(string tensor) => tensor == Factors;

    private static ModelConfig Window(GgufFields fields, ModelConfig config)
    {
        if (config.Family is not (ModelFamily.Mistral or ModelFamily.Gemma2 or ModelFamily.Gemma3)) return config;
        var full = config.Family switch { ModelFamily.Gemma2 => 2, ModelFamily.Gemma3 => fields.Number("attention.sliding_window_pattern", 6), _ => int.MaxValue };
        return config with
        {
            SlidingWindow = fields.Number("attention.sliding_window", config.Family == ModelFamily.Mistral ? null : 4096),
            SlidingLayers = new(Enumerable.Range(0, config.Layers).Where(layer => (layer + 1) % full != 0)),
        };
    }

    private static RopeScaling Scaling(GgufFile file, GgufFields fields, ModelConfig config)
    {
        var type = fields.Text("rope.scaling.type") ?? (fields.Has("rope.scaling.factor") ? "linear" : "none");
        if (file.Tensors.ContainsKey(Factors)) return Llama3(file, config);
        var factor = type is "none" ? 1 : fields.Real("rope.scaling.factor");
        return type switch
        {
            "none" => RopeScaling.None,
            "linear" => new() { Type = RopeScalingType.Linear, Factor = factor },
            "yarn" => new()
            {
                Type = RopeScalingType.Yarn,
                Factor = factor,
                OriginalPositions = fields.Number("rope.scaling.original_context_length"),
                AttentionFactor = RopeScaling.YarnAttention(factor),
            },
            _ => throw fields.Error("rope.scaling.type", $"is '{type}'; none, linear and yarn are read"),
        };
    }

    // llama.cpp stores what each frequency is divided by, not the rule. The rule of Llama 3.1 to 3.3 is tried with the largest of them.
    private static RopeScaling Llama3(GgufFile file, ModelConfig config)
    {
        var divisors = file.Values(Factors);
        var rule = new RopeScaling { Type = RopeScalingType.Llama3, Factor = divisors.Max(), OriginalPositions = 8192, LowFrequency = 1, HighFrequency = 4 };
        var plain = RopeFrequencies.Of(config.RopeTheta, config.HeadDim, RopeScaling.None).Inverse;
        var ruled = RopeFrequencies.Of(config.RopeTheta, config.HeadDim, rule).Inverse;
        var isRule = divisors.Length == plain.Length && plain.Zip(ruled, divisors).All(entry => Math.Abs(entry.First / entry.Second - entry.Third) <= 1e-3 * entry.Third);
        return isRule ? rule : throw file.Error($"tensor '{Factors}' is not what Llama 3's rule gives; its scaling cannot be put into config.json.");
    }
}
