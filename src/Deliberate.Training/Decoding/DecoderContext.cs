using Deliberate.Inference.Models;
using static TorchSharp.torch;

namespace Deliberate.Training.Decoding;

/// <summary>
/// What one pass of the blocks shares: rotary tables, masks, and where rows begin. Rows are either padded to one length (B, T), or lie
/// packed one after the other in a single sequence (1, T), each with positions and attention of its own.
/// </summary>
internal sealed class DecoderContext
{
    private readonly ModelConfig _config;
    private readonly AttentionMasks _masks;
    private readonly int[]? _packed;
    private readonly (Tensor, Tensor)? _rotary, _localRotary;
    private readonly Tensor? _wholeMask;

    /// <summary>Prepares a pass.</summary>
    /// <param name="config">The shape of the model.</param>
    /// <param name="tables">Rotary tables: of most layers, and of sliding ones where they have their own.</param>
    /// <param name="masks">Masks that are kept from pass to pass.</param>
    /// <param name="length">Tokens in each padded row.</param>
    /// <param name="packed">Lengths of packed rows; null for padded ones.</param>
    /// <param name="adapted">Whether adapters count.</param>
    /// <param name="type">What is computed in.</param>
    /// <param name="plain">Whether to leave attention to libtorch.</param>
    public DecoderContext(ModelConfig config, (RotaryTable Rotary, RotaryTable? Local) tables, AttentionMasks masks, int length, int[]? packed, bool adapted, ScalarType type, bool plain)
    {
        (_config, _masks, _packed, Adapted) = (config, masks, packed, adapted);
        int[] lengths = packed ?? [length];
        _rotary = tables.Rotary.Of(lengths);
        _localRotary = tables.Local?.Of(lengths);
        Plain = plain;
        if (!plain && packed is null && length <= CausalAttention.LongestGrouped && IsOrdinary)
            _wholeMask = CausalAttention.Mask(length, config.Heads / config.KvHeads, type, tables.Rotary.Device);
    }

    /// <summary>Whether adapters count.</summary>
    public bool Adapted { get; }

    private bool Plain { get; }

    private bool IsOrdinary => _config.QueryScalar is null && _config.AttentionSoftcap is null && _config.SlidingWindow is null;

    /// <summary>Cosines and sines of a layer; null where it has no positions.</summary>
    public (Tensor Cos, Tensor Sin)? RotaryOf(int layer) =>
        _config.NoRopeLayers.Contains(layer) ? null : _localRotary is not null && _config.SlidingLayers.Contains(layer) ? _localRotary : _rotary;

    /// <summary>Causal attention within each row. (B, T, heads, dim), (B, T, kv heads, dim) twice -> (B, T, heads * dim)</summary>
    public Tensor Attend(Tensor q, Tensor k, Tensor v, int layer)
    {
        if (_wholeMask is not null) return CausalAttention.Grouped(q, k, v, _wholeMask);
        if (_packed is null) return Row(q, k, v, layer);
        var (rows, at) = (new List<Tensor>(), 0L);
        foreach (var length in _packed)
        {
            rows.Add(Row(q.narrow(1, at, length), k.narrow(1, at, length), v.narrow(1, at, length), layer));
            at += length;
        }

        return rows.Count == 1 ? rows[0] : cat(rows, 1);
    }

    private Tensor Row(Tensor q, Tensor k, Tensor v, int layer) => Plain && IsOrdinary ? CausalAttention.Plain(q, k, v)
        : CausalAttention.Blocked(q, k, v, _config.AttentionScale, _config.AttentionSoftcap, _config.WindowOf(layer), _masks);
}
