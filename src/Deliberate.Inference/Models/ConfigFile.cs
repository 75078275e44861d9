using System.Text.Json;
using Deliberate.Inference.Files;

namespace Deliberate.Inference.Models;

/// <summary>
/// Reads <c>config.json</c> of the families in <see cref="ModelFamily"/>, as transformers 4 (<c>rope_theta</c>, <c>rope_scaling</c>)
/// and 5 (<c>rope_parameters</c>) write it, with each family's defaults.
/// </summary>
public static class ConfigFile
{
    private const int MaxLayers = 10_000;
    private const int MaxWidth = 1 << 28;

    // They tell of training, text or storage, not of what the model computes.
    private static readonly HashSet<string> Harmless =
    [
        "architectures", "model_type", "torch_dtype", "dtype", "transformers_version", "use_cache", "bos_token_id", "eos_token_id", "pad_token_id",
        "unk_token_id", "sep_token_id", "initializer_range", "attention_dropout", "embd_pdrop", "resid_pdrop", "hidden_dropout", "pretraining_tp", "auto_map", "task_specific_params",
        "return_dict", "output_attentions", "output_hidden_states", "transformers.js_config", "max_window_layers",
        "no_rope_layer_interval", "cache_implementation", "id2label", "label2id", "problem_type", "tokenizer_class", "name_or_path", "chunk_size_feed_forward",
        "is_llama_config", "unsloth_fixed", "unsloth_version", "original_max_position_embeddings", "use_sliding_window", "prefix", "finetuning_task", "attn_implementation",
    ];

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is damaged, of another family, or sets an option that is not computed; the message names file and field.</exception>
    public static ModelConfig Read(string file)
    {
        try
        {
            return Parse(file);
        }
        catch (InvalidOperationException error)
        {
            // An escaped half of a surrogate pair shows only when its text is asked for.
            throw new InvalidDataException($"{file}: not valid JSON: {OneLine.Of(error.Message)}", error);
        }
    }

    private static ModelConfig Parse(string file)
    {
        var root = ConfigObject.Read(file);
        var kind = root.Text("model_type") ?? throw root.Error("model_type", "is missing");
        if (kind.Contains("moe", StringComparison.OrdinalIgnoreCase) || kind == "mixtral" || root.Has("num_experts") || root.Has("num_local_experts"))
            throw root.Error("model_type", $"is '{kind}', a mixture of experts; only dense decoders are read");
        var family = kind switch
        {
            "llama" => FamilyDefaults.Llama,
            "mistral" => FamilyDefaults.Mistral,
            "qwen2" => FamilyDefaults.Qwen2,
            "qwen3" => FamilyDefaults.Qwen3,
            "smollm3" => FamilyDefaults.SmolLM3,
            "gemma2" => FamilyDefaults.Gemma2,
            "gemma3_text" => FamilyDefaults.Gemma3,
            "phi3" => FamilyDefaults.Phi3,
            "olmo2" => FamilyDefaults.Olmo2,
            _ => throw root.Error("model_type", $"is '{kind}'; read are llama, mistral, qwen2, qwen3, smollm3, gemma2, gemma3_text, phi3, olmo2"),
        };
        var config = Read(root, family);
        root.RefuseOthers(Harmless);
        return config;
    }

    private static ModelConfig Read(ConfigObject root, FamilyDefaults family)
    {
        var heads = root.Number("num_attention_heads");
        var hidden = root.Number("hidden_size");
        var layers = root.Number("num_hidden_layers");
        if (layers > MaxLayers) throw root.Error("num_hidden_layers", $"is {layers}; at most {MaxLayers} are read");
        var kind = family.Family;
        var isGemma = kind is ModelFamily.Gemma2 or ModelFamily.Gemma3;
        var bias = family.HasBias && root.Flag("attention_bias", kind == ModelFamily.Qwen2);
        var rope = RopeFields.Read(root, family, root.Number("max_position_embeddings"));
        var config = new ModelConfig
        {
            Family = kind,
            VocabSize = root.Number("vocab_size"),
            HiddenSize = hidden,
            Layers = layers,
            Heads = heads,
            KvHeads = root.Number("num_key_value_heads", family.KvHeads ?? heads),
            HeadDim = root.Number("head_dim", family.HeadDim ?? hidden / heads),
            FeedForward = root.Number("intermediate_size"),
            MaxPositions = root.Number("max_position_embeddings"),
            RopeTheta = rope.Theta,
            RopeScaling = rope.Scaling,
            LocalRopeTheta = rope.LocalTheta,
            RmsNormEps = (float)root.Real("rms_norm_eps", family.Eps),
            TieEmbeddings = root.Flag("tie_word_embeddings", family.Ties),
            Activation = Gate(root, isGemma),
            QkvBias = bias || kind == ModelFamily.Qwen2,
            OutputBias = bias,
            MlpBias = kind is ModelFamily.Llama or ModelFamily.SmolLM3 && root.Flag("mlp_bias", false),
            FusedProjections = kind == ModelFamily.Phi3,
            QueryKeyNorm = kind is ModelFamily.Qwen3 or ModelFamily.Gemma3 ? QueryKeyNorm.Head : kind == ModelFamily.Olmo2 ? QueryKeyNorm.Projection : QueryKeyNorm.None,
            NormPlacement = isGemma ? NormPlacement.Sandwich : kind == ModelFamily.Olmo2 ? NormPlacement.After : NormPlacement.Before,
            NormOffset = isGemma ? 1 : 0,
            EmbeddingScale = isGemma ? MathF.Sqrt(hidden) : 1,
            QueryScalar = isGemma ? (float)root.Real("query_pre_attn_scalar", 256) : null,
            AttentionSoftcap = isGemma ? Cap(root, "attn_logit_softcapping", kind, 50) : null,
            LogitSoftcap = isGemma ? Cap(root, "final_logit_softcapping", kind, 30) : null,
            NoRopeLayers = kind == ModelFamily.SmolLM3 ? WithoutRope(root, layers) : LayerSet.None,
        };
        if (isGemma && root.Flag("use_bidirectional_attention", false)) throw root.Error("use_bidirectional_attention", "is true; only causal attention is computed");
        config = LayerFields.Slide(root, family, config);
        if (config.Heads % config.KvHeads != 0) throw root.Error("num_key_value_heads", $"({config.KvHeads}) does not divide num_attention_heads ({config.Heads})");
        if (config.HeadDim == 0 || config.HeadDim % 2 != 0) throw root.Error("head_dim", $"is {config.HeadDim}; rotary positions need an even one");
        if ((long)config.Heads * config.HeadDim > MaxWidth) throw root.Error("num_attention_heads", $"({config.Heads}) times head_dim ({config.HeadDim}) is too wide");
        if (config.FeedForward > MaxWidth) throw root.Error("intermediate_size", $"is {config.FeedForward}; at most {MaxWidth} is read");
        return config;
    }

    private static Activation Gate(ConfigObject root, bool isGemma)
    {
        // Gemma's files may carry both; the model computes with hidden_activation.
        var old = root.Text("hidden_act");
        var name = isGemma ? root.Text("hidden_activation") ?? "gelu_pytorch_tanh" : old ?? "silu";
        return name switch
        {
            "silu" or "swish" => Activation.Silu,
            "gelu_pytorch_tanh" => Activation.GeluTanh,
            _ => throw root.Error(isGemma ? "hidden_activation" : "hidden_act", $"is '{name}'; silu and gelu_pytorch_tanh are computed"),
        };
    }

    // Absent means the family's own; null means none.
    private static float? Cap(ConfigObject root, string name, ModelFamily kind, float standard) =>
        root.Has(name) ? (float)root.Real(name) : kind == ModelFamily.Gemma2 && !root.IsNull(name) ? standard : null;

    private static LayerSet WithoutRope(ConfigObject root, int layers)
    {
        var interval = root.Number("no_rope_layer_interval", 4);
        var list = root.List("no_rope_layers", layers);
        if (list is null) return new(Enumerable.Range(0, layers).Where(layer => (layer + 1) % interval == 0));
        // The field says 1 where a layer has positions.
        return new(Enumerable.Range(0, layers).Where(layer => list[layer] is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var has) && has is 0 or 1 ? has == 0
            : throw root.Error("no_rope_layers", $"has an entry {layer} that is neither 0 nor 1")));
    }
}
