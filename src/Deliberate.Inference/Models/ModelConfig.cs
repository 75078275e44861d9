namespace Deliberate.Inference.Models;

/// <summary>
/// The shape of a Llama-style decoder: RMSNorm, rotary positions, grouped-query attention, SwiGLU.
/// The names in <c>config.json</c> are those of Hugging Face's Llama family.
/// </summary>
/// <remarks>Immutable, so safe to share between threads.</remarks>
public sealed record ModelConfig
{
    /// <summary>Rows of the embedding: number of tokens (<c>vocab_size</c>).</summary>
    public required int VocabSize { get; init; }

    /// <summary>Width of the residual stream (<c>hidden_size</c>).</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Number of decoder blocks (<c>num_hidden_layers</c>).</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads (<c>num_attention_heads</c>).</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads (<c>num_key_value_heads</c>); divides <see cref="Heads"/>.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Width of one head (<c>head_dim</c>).</summary>
    public required int HeadDim { get; init; }

    /// <summary>Inner width of the SwiGLU block (<c>intermediate_size</c>).</summary>
    public required int FeedForward { get; init; }

    /// <summary>Longest sequence the model was trained for, in tokens (<c>max_position_embeddings</c>).</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Base of the rotary frequencies (<c>rope_theta</c>).</summary>
    public float RopeTheta { get; init; } = 10_000f;

    /// <summary>Added to the mean square in every RMSNorm (<c>rms_norm_eps</c>).</summary>
    public float RmsNormEps { get; init; } = 1e-5f;

    /// <summary>Whether the output projection is the embedding (<c>tie_word_embeddings</c>).</summary>
    public bool TieEmbeddings { get; init; } = true;

    /// <summary>Every tensor of the model in Hugging Face's names with its shape, in the order they are stored.</summary>
    public IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        yield return ("model.embed_tokens.weight", [VocabSize, HiddenSize]);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return (prefix + "input_layernorm.weight", [HiddenSize]);
            yield return (prefix + "self_attn.q_proj.weight", [Heads * HeadDim, HiddenSize]);
            yield return (prefix + "self_attn.k_proj.weight", [KvHeads * HeadDim, HiddenSize]);
            yield return (prefix + "self_attn.v_proj.weight", [KvHeads * HeadDim, HiddenSize]);
            yield return (prefix + "self_attn.o_proj.weight", [HiddenSize, Heads * HeadDim]);
            yield return (prefix + "post_attention_layernorm.weight", [HiddenSize]);
            yield return (prefix + "mlp.gate_proj.weight", [FeedForward, HiddenSize]);
            yield return (prefix + "mlp.up_proj.weight", [FeedForward, HiddenSize]);
            yield return (prefix + "mlp.down_proj.weight", [HiddenSize, FeedForward]);
        }

        yield return ("model.norm.weight", [HiddenSize]);
        if (!TieEmbeddings) yield return ("lm_head.weight", [VocabSize, HiddenSize]);
    }
}
