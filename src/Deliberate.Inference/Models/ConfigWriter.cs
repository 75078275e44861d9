using System.Text.Json.Nodes;
using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Models;

/// <summary>Describes a model as transformers 4 wrote it, the form that most programs read.</summary>
public static class ConfigWriter
{
    /// <summary>The fields of <c>config.json</c>; <see cref="ConfigFile.Read(string)"/> gives an equal record back.</summary>
    public static JsonObject ToJson(ModelConfig config, TensorType type)
    {
        ArgumentNullException.ThrowIfNull(config);
        var (name, architecture) = config.Family switch
        {
            ModelFamily.Mistral => ("mistral", "MistralForCausalLM"),
            ModelFamily.Qwen2 => ("qwen2", "Qwen2ForCausalLM"),
            ModelFamily.Qwen3 => ("qwen3", "Qwen3ForCausalLM"),
            ModelFamily.SmolLM3 => ("smollm3", "SmolLM3ForCausalLM"),
            ModelFamily.Gemma2 => ("gemma2", "Gemma2ForCausalLM"),
            ModelFamily.Gemma3 => ("gemma3_text", "Gemma3ForCausalLM"),
            ModelFamily.Phi3 => ("phi3", "Phi3ForCausalLM"),
            ModelFamily.Olmo2 => ("olmo2", "Olmo2ForCausalLM"),
            _ => ("llama", "LlamaForCausalLM"),
        };
        var isGemma = config.Family is ModelFamily.Gemma2 or ModelFamily.Gemma3;
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(architecture),
            ["model_type"] = name,
            ["vocab_size"] = config.VocabSize,
            ["hidden_size"] = config.HiddenSize,
            ["num_hidden_layers"] = config.Layers,
            ["num_attention_heads"] = config.Heads,
            ["num_key_value_heads"] = config.KvHeads,
            ["head_dim"] = config.HeadDim,
            ["intermediate_size"] = config.FeedForward,
            ["max_position_embeddings"] = config.MaxPositions,
            ["rope_theta"] = config.RopeTheta,
            ["rms_norm_eps"] = config.RmsNormEps,
            ["tie_word_embeddings"] = config.TieEmbeddings,
            [isGemma ? "hidden_activation" : "hidden_act"] = config.Activation == Activation.Silu ? "silu" : "gelu_pytorch_tanh",
            ["torch_dtype"] = type switch { TensorType.F32 => "float32", TensorType.F16 => "float16", _ => "bfloat16" },
        };
        if (config.RopeScaling != RopeScaling.None) json["rope_scaling"] = Scaling(config.RopeScaling);
        if (config.OutputBias) json["attention_bias"] = true;
        if (config.MlpBias) json["mlp_bias"] = true;
        if (config.LocalRopeTheta is { } local) json["rope_local_base_freq"] = local;
        if (isGemma)
        {
            json["query_pre_attn_scalar"] = config.QueryScalar;
            json["attn_logit_softcapping"] = config.AttentionSoftcap;
            json["final_logit_softcapping"] = config.LogitSoftcap;
        }

        if (config.Family is not (ModelFamily.Llama or ModelFamily.Olmo2)) json["sliding_window"] = config.SlidingWindow;
        if (config.Family is not (ModelFamily.Llama or ModelFamily.Olmo2 or ModelFamily.Mistral or ModelFamily.Phi3))
        {
            if (!isGemma) json["use_sliding_window"] = config.SlidingWindow is not null;
            json["layer_types"] = new JsonArray([.. Enumerable.Range(0, config.Layers).Select(layer => (JsonNode)(config.SlidingLayers.Contains(layer) ? "sliding_attention" : "full_attention"))]);
        }

        if (config.Family == ModelFamily.SmolLM3)
            json["no_rope_layers"] = new JsonArray([.. Enumerable.Range(0, config.Layers).Select(layer => (JsonNode)(config.NoRopeLayers.Contains(layer) ? 0 : 1))]);
        return json;
    }

    private static JsonObject Scaling(RopeScaling scaling) => scaling.Type switch
    {
        RopeScalingType.Linear => new() { ["rope_type"] = "linear", ["factor"] = scaling.Factor },
        RopeScalingType.Llama3 => new()
        {
            ["rope_type"] = "llama3",
            ["factor"] = scaling.Factor,
            ["original_max_position_embeddings"] = scaling.OriginalPositions,
            ["low_freq_factor"] = scaling.LowFrequency,
            ["high_freq_factor"] = scaling.HighFrequency,
        },
        _ => new()
        {
            ["rope_type"] = "yarn",
            ["factor"] = scaling.Factor,
            ["original_max_position_embeddings"] = scaling.OriginalPositions,
            ["beta_fast"] = scaling.BetaFast,
            ["beta_slow"] = scaling.BetaSlow,
            ["truncate"] = scaling.Truncate,
            ["attention_factor"] = scaling.AttentionFactor,
        },
    };
}
