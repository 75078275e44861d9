namespace Deliberate.Inference.Generation;

/// <summary>
/// Keys and values of a run of positions, for all layers. Keys lie in blocks of 16 positions, dimension by dimension, so that
/// 16 scores are computed at once; values lie position by position. A run may continue another one, which is shared and read-only.
/// </summary>
internal sealed class KeyValues
{
    public const int Block = 16;
    private readonly int _kvHeads, _headDim, _layers;
    private float[] _keys = [], _values = [];

    public KeyValues(PackedModel model, KeyValues? parent, int capacity)
    {
        (_kvHeads, _headDim, _layers) = (model.Config.KvHeads, model.Config.HeadDim, model.Config.Layers);
        ValueDim = (_headDim + 15) / 16 * 16;
        Reset(parent, capacity);
    }

    /// <summary>The positions before this run's first, or null.</summary>
    public KeyValues? Parent { get; private set; }

    /// <summary>Position of the run's first token.</summary>
    public int Start { get; private set; }

    /// <summary>Positions filled.</summary>
    public int Count { get; set; }

    /// <summary>Room, in whole blocks.</summary>
    public int Capacity { get; private set; }

    /// <summary>Width of one head's value in memory.</summary>
    public int ValueDim { get; }

    /// <summary>Empties the run and gives it another parent; buffers are kept when they are large enough.</summary>
    public void Reset(KeyValues? parent, int capacity)
    {
        (Parent, Start, Count) = (parent, parent is null ? 0 : parent.Start + parent.Count, 0);
        capacity = (capacity + Block - 1) / Block * Block;
        if (capacity <= Capacity) return;
        Capacity = capacity;
        _keys = new float[_layers * _kvHeads * capacity * _headDim];
        _values = new float[_layers * _kvHeads * capacity * ValueDim];
    }

    /// <summary>Keys of one head: (blocks, dim, 16).</summary>
    public Span<float> Keys(int layer, int head) => _keys.AsSpan((layer * _kvHeads + head) * Capacity * _headDim, Capacity * _headDim);

    /// <summary>Values of one head: (positions, ValueDim).</summary>
    public Span<float> Values(int layer, int head) => _values.AsSpan((layer * _kvHeads + head) * Capacity * ValueDim, Capacity * ValueDim);
}
