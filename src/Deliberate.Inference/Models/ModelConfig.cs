using System.Globalization;
using System.Text;

namespace Deliberate.Inference.Models;

/// <summary>
/// The shape of a decoder with RMSNorm, rotary positions, grouped-query attention and a gated feed-forward block. What the
/// families differ in are options here, whose defaults are plain Llama's; names are those of <c>config.json</c>.
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

    /// <summary>Inner width of the feed-forward block (<c>intermediate_size</c>).</summary>
    public required int FeedForward { get; init; }

    /// <summary>Longest sequence the model was trained for, in tokens (<c>max_position_embeddings</c>).</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Base of the rotary frequencies (<c>rope_theta</c>).</summary>
    public float RopeTheta { get; init; } = 10_000f;

    /// <summary>Added to the mean square in every RMSNorm (<c>rms_norm_eps</c>).</summary>
    public float RmsNormEps { get; init; } = 1e-5f;

    /// <summary>Whether the output projection is the embedding (<c>tie_word_embeddings</c>).</summary>
    public bool TieEmbeddings { get; init; } = true;

    /// <summary>The family: it names <c>model_type</c> and nothing else; the maths is in the other options.</summary>
    public ModelFamily Family { get; init; }

    /// <summary>The gate's function (<c>hidden_act</c>).</summary>
    public Activation Activation { get; init; }

    /// <summary>Whether query, key and value projections have biases.</summary>
    public bool QkvBias { get; init; }

    /// <summary>Whether attention's output projection has a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Whether the three feed-forward projections have biases (<c>mlp_bias</c>).</summary>
    public bool MlpBias { get; init; }

    /// <summary>Whether <c>qkv_proj</c> and <c>gate_up_proj</c> hold the projections one below the other, in these orders (Phi-3).</summary>
    public bool FusedProjections { get; init; }

    /// <summary>RMSNorm of queries and keys.</summary>
    public QueryKeyNorm QueryKeyNorm { get; init; }

    /// <summary>Where the norms of a block are.</summary>
    public NormPlacement NormPlacement { get; init; }

    /// <summary>Added to every norm's weights: 1 in Gemma, whose files store w for 1 + w.</summary>
    public float NormOffset { get; init; }

    /// <summary>Multiplies the embeddings: √hidden_size in Gemma.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>Replaces head_dim in the scale of attention, 1/√x (<c>query_pre_attn_scalar</c>).</summary>
    public float? QueryScalar { get; init; }

    /// <summary>Attention scores become c · tanh(score / c) (<c>attn_logit_softcapping</c>).</summary>
    public float? AttentionSoftcap { get; init; }

    /// <summary>Logits become c · tanh(logit / c) (<c>final_logit_softcapping</c>).</summary>
    public float? LogitSoftcap { get; init; }

    /// <summary>How rotary frequencies are stretched (<c>rope_scaling</c>); not those of <see cref="LocalRopeTheta"/>.</summary>
    public RopeScaling RopeScaling { get; init; } = RopeScaling.None;

    /// <summary>Base of the rotary frequencies in sliding layers where they have their own (<c>rope_local_base_freq</c>).</summary>
    public float? LocalRopeTheta { get; init; }

    /// <summary>A query in a sliding layer sees this many positions, itself among them (<c>sliding_window</c>); null where no layer slides.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>The layers with <see cref="SlidingWindow"/>.</summary>
    public LayerSet SlidingLayers { get; init; } = LayerSet.None;

    /// <summary>The layers without rotary positions (SmolLM3).</summary>
    public LayerSet NoRopeLayers { get; init; } = LayerSet.None;

    /// <summary>Whether every option beyond the sizes is plain Llama's: what an engine of Llama alone computes.</summary>
    public bool IsPlainLlama => this == new ModelConfig
    {
        VocabSize = VocabSize,
        HiddenSize = HiddenSize,
        Layers = Layers,
        Heads = Heads,
        KvHeads = KvHeads,
        HeadDim = HeadDim,
        FeedForward = FeedForward,
        MaxPositions = MaxPositions,
        RopeTheta = RopeTheta,
        RmsNormEps = RmsNormEps,
        TieEmbeddings = TieEmbeddings,
        Family = Family,
    };

    /// <summary>What attention scores are multiplied by.</summary>
    public float AttentionScale => (float)(1 / Math.Sqrt(QueryScalar ?? HeadDim));

    /// <summary>The window of a layer; null where it sees everything before.</summary>
    public int? WindowOf(int layer) => SlidingLayers.Contains(layer) ? SlidingWindow : null;

    /// <summary>The rotary frequencies of a layer; null where it has no positions.</summary>
    public RopeFrequencies? RopeOf(int layer) => NoRopeLayers.Contains(layer) ? null
        : LocalRopeTheta is { } local && SlidingLayers.Contains(layer) ? RopeFrequencies.Of(local, HeadDim, RopeScaling.None)
        : RopeFrequencies.Of(RopeTheta, HeadDim, RopeScaling);

    /// <summary>Every tensor of the model in Hugging Face's names with its shape, in the order they are computed with.</summary>
    public IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        int query = Heads * HeadDim, keys = KvHeads * HeadDim;
        yield return ("model.embed_tokens.weight", [VocabSize, HiddenSize]);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            if (NormPlacement != NormPlacement.After) yield return (prefix + "input_layernorm.weight", [HiddenSize]);
            if (FusedProjections) yield return (prefix + "self_attn.qkv_proj.weight", [query + 2 * keys, HiddenSize]);
            else
            {
                foreach (var (name, rows) in new[] { ("q", query), ("k", keys), ("v", keys) })
                {
                    yield return ($"{prefix}self_attn.{name}_proj.weight", [rows, HiddenSize]);
                    if (QkvBias) yield return ($"{prefix}self_attn.{name}_proj.bias", [rows]);
                }
            }

            if (QueryKeyNorm != QueryKeyNorm.None)
            {
                yield return (prefix + "self_attn.q_norm.weight", [QueryKeyNorm == QueryKeyNorm.Head ? HeadDim : query]);
                yield return (prefix + "self_attn.k_norm.weight", [QueryKeyNorm == QueryKeyNorm.Head ? HeadDim : keys]);
            }

            yield return (prefix + "self_attn.o_proj.weight", [HiddenSize, query]);
            if (OutputBias) yield return (prefix + "self_attn.o_proj.bias", [HiddenSize]);
            yield return (prefix + "post_attention_layernorm.weight", [HiddenSize]);
            if (NormPlacement == NormPlacement.Sandwich) yield return (prefix + "pre_feedforward_layernorm.weight", [HiddenSize]);
            if (FusedProjections) yield return (prefix + "mlp.gate_up_proj.weight", [2 * FeedForward, HiddenSize]);
            else
            {
                foreach (var name in new[] { "gate", "up" })
                {
                    yield return ($"{prefix}mlp.{name}_proj.weight", [FeedForward, HiddenSize]);
                    if (MlpBias) yield return ($"{prefix}mlp.{name}_proj.bias", [FeedForward]);
                }
            }

            yield return (prefix + "mlp.down_proj.weight", [HiddenSize, FeedForward]);
            if (MlpBias) yield return (prefix + "mlp.down_proj.bias", [HiddenSize]);
            if (NormPlacement != NormPlacement.Before) yield return (prefix + "post_feedforward_layernorm.weight", [HiddenSize]);
        }

        yield return ("model.norm.weight", [HiddenSize]);
        if (!TieEmbeddings) yield return ("lm_head.weight", [VocabSize, HiddenSize]);
    }

    // Fingerprints hash this text: options beyond plain Llama's appear only where they are used, so that old fingerprints stay.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append(CultureInfo.InvariantCulture, $"VocabSize = {VocabSize}, HiddenSize = {HiddenSize}, Layers = {Layers}, Heads = {Heads}, KvHeads = {KvHeads}, HeadDim = {HeadDim}, FeedForward = {FeedForward}, MaxPositions = {MaxPositions}, RopeTheta = {RopeTheta}, RmsNormEps = {RmsNormEps}, TieEmbeddings = {TieEmbeddings}");
        void Option<T>(string name, T value, T standard)
        {
            if (!EqualityComparer<T>.Default.Equals(value, standard)) builder.Append(CultureInfo.InvariantCulture, $", {name} = {value}");
        }

        Option(nameof(Family), Family, ModelFamily.Llama);
        Option(nameof(Activation), Activation, Activation.Silu);
        Option(nameof(QkvBias), QkvBias, false);
        Option(nameof(OutputBias), OutputBias, false);
        Option(nameof(MlpBias), MlpBias, false);
        Option(nameof(FusedProjections), FusedProjections, false);
        Option(nameof(QueryKeyNorm), QueryKeyNorm, QueryKeyNorm.None);
        Option(nameof(NormPlacement), NormPlacement, NormPlacement.Before);
        Option(nameof(NormOffset), NormOffset, 0);
        Option(nameof(EmbeddingScale), EmbeddingScale, 1);
        Option(nameof(QueryScalar), QueryScalar, null);
        Option(nameof(AttentionSoftcap), AttentionSoftcap, null);
        Option(nameof(LogitSoftcap), LogitSoftcap, null);
        Option(nameof(RopeScaling), RopeScaling, RopeScaling.None);
        Option(nameof(LocalRopeTheta), LocalRopeTheta, null);
        Option(nameof(SlidingWindow), SlidingWindow, null);
        Option(nameof(SlidingLayers), SlidingLayers, LayerSet.None);
        Option(nameof(NoRopeLayers), NoRopeLayers, LayerSet.None);
        return true;
    }
}
