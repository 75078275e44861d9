using System.Globalization;
using Deliberate.Inference.Models;

namespace Deliberate.Inference.Weights.Gguf;

/// <summary>llama.cpp's tensor names for Hugging Face's.</summary>
internal static class GgufNames
{
    private static readonly Dictionary<string, string> Parts = new(StringComparer.Ordinal)
    {
        ["input_layernorm"] = "attn_norm",
        ["self_attn.q_proj"] = "attn_q",
        ["self_attn.k_proj"] = "attn_k",
        ["self_attn.v_proj"] = "attn_v",
        ["self_attn.o_proj"] = "attn_output",
        ["self_attn.q_norm"] = "attn_q_norm",
        ["self_attn.k_norm"] = "attn_k_norm",
        ["pre_feedforward_layernorm"] = "ffn_norm",
        ["post_feedforward_layernorm"] = "post_ffw_norm",
        ["mlp.gate_proj"] = "ffn_gate",
        ["mlp.up_proj"] = "ffn_up",
        ["mlp.down_proj"] = "ffn_down",
    };

    /// <summary>The name in a GGUF file of a tensor that <see cref="ModelConfig.Tensors"/> lists.</summary>
    public static string Of(string name, ModelConfig config)
    {
        switch (name)
        {
            case "model.embed_tokens.weight": return "token_embd.weight";
            case "model.norm.weight": return "output_norm.weight";
            case "lm_head.weight": return "output.weight";
        }

        var parts = name["model.layers.".Length..].Split('.', 2);
        var dot = parts[1].LastIndexOf('.');
        var (part, kind) = (parts[1][..dot], parts[1][dot..]);
        var there = part == "post_attention_layernorm" ? config.NormPlacement == NormPlacement.Sandwich ? "post_attention_norm" : "ffn_norm" : Parts[part];
        return string.Create(CultureInfo.InvariantCulture, $"blk.{parts[0]}.{there}{kind}");
    }
}
