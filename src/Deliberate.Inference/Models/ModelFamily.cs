namespace Deliberate.Inference.Models;

/// <summary>A line of decoders whose <c>config.json</c> and tensor names are read.</summary>
public enum ModelFamily
{
    /// <summary>Llama 2 and 3.x, SmolLM2 (<c>llama</c>).</summary>
    Llama,

    /// <summary>Mistral (<c>mistral</c>).</summary>
    Mistral,

    /// <summary>Qwen2 and 2.5 (<c>qwen2</c>).</summary>
    Qwen2,

    /// <summary>Qwen3, dense (<c>qwen3</c>).</summary>
    Qwen3,

    /// <summary>SmolLM3 (<c>smollm3</c>).</summary>
    SmolLM3,

    /// <summary>Gemma 2 (<c>gemma2</c>).</summary>
    Gemma2,

    /// <summary>Gemma 3, text (<c>gemma3_text</c>).</summary>
    Gemma3,

    /// <summary>Phi-3 (<c>phi3</c>).</summary>
    Phi3,

    /// <summary>OLMo 2 (<c>olmo2</c>).</summary>
    Olmo2,
}

/// <summary>The gate's function in the feed-forward block.</summary>
public enum Activation
{
    /// <summary>x · sigmoid(x).</summary>
    Silu,

    /// <summary>GELU by its tanh approximation.</summary>
    GeluTanh,
}

/// <summary>RMSNorm of queries and keys before the rotation.</summary>
public enum QueryKeyNorm
{
    /// <summary>None.</summary>
    None,

    /// <summary>Over each head; weights of <c>head_dim</c>.</summary>
    Head,

    /// <summary>Over all heads at once; weights of the projection's width.</summary>
    Projection,
}

/// <summary>Where a block has its norms.</summary>
public enum NormPlacement
{
    /// <summary>Before attention (<c>input_layernorm</c>) and feed-forward (<c>post_attention_layernorm</c>).</summary>
    Before,

    /// <summary>On the output of each, before it is added (<c>post_attention_layernorm</c>, <c>post_feedforward_layernorm</c>).</summary>
    After,

    /// <summary>Both: <c>input_</c>, <c>post_attention_</c>, <c>pre_feedforward_</c>, <c>post_feedforward_layernorm</c>.</summary>
    Sandwich,
}
