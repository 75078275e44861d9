namespace Deliberate.Inference.Generation;

/// <summary>Keys and values of some neighbouring positions, for all layers.</summary>
internal sealed class KeyValuePage(int layers, int kvHeads, int headDim, int capacity)
{
    private readonly float[] _keys = new float[(long)layers * kvHeads * capacity * headDim];
    private readonly float[] _values = new float[(long)layers * kvHeads * capacity * KeyValues.Pad(headDim)];

    /// <summary>Positions, in whole blocks.</summary>
    public int Capacity => capacity;

    /// <summary>Keys of one head: (blocks, dim, 16).</summary>
    public Span<float> Keys(int layer, int head) => _keys.AsSpan((layer * kvHeads + head) * capacity * headDim, capacity * headDim);

    /// <summary>Values of one head: (positions, padded dim).</summary>
    public Span<float> Values(int layer, int head) => _values.AsSpan((layer * kvHeads + head) * capacity * KeyValues.Pad(headDim), capacity * KeyValues.Pad(headDim));
}

/// <summary>
/// Keys and values of a run of positions, for all layers. Keys lie in blocks of 16 positions, dimension by dimension, so that
/// 16 scores are computed at once; values lie position by position. A run may continue another one, which is shared and read-only.
/// Memory is taken page by page as positions come.
/// </summary>
internal sealed class KeyValues
{
    public const int Block = 16, PageSize = 256;
    private readonly int _kvHeads, _headDim, _layers;
    private readonly List<KeyValuePage> _pages = [];
    private int _capacity, _count;

    public KeyValues(PackedModel model, KeyValues? parent, int capacity, int? start = null)
    {
        (_kvHeads, _headDim, _layers) = (model.Config.KvHeads, model.Config.HeadDim, model.Config.Layers);
        Reset(parent, capacity, start);
    }

    /// <summary>The positions before this run's first, or null.</summary>
    public KeyValues? Parent { get; private set; }

    /// <summary>Position of the run's first token.</summary>
    public int Start { get; private set; }

    /// <summary>Positions filled; raising it takes the pages it needs.</summary>
    public int Count
    {
        get => _count;
        set
        {
            _count = value;
            while (_pages.Count == 0 || value > _pages.Count * PageSize && _pages[0].Capacity == PageSize)
                _pages.Add(new(_layers, _kvHeads, _headDim, Math.Min(PageSize, _capacity)));
            if (value > (_pages.Count - 1) * PageSize + _pages[^1].Capacity) throw new ArgumentOutOfRangeException(nameof(value), $"The run has room for {_capacity} positions.");
        }
    }

    /// <summary>The position after the last one that is filled.</summary>
    public int End => Start + _count;

    /// <summary>Positions that its pages in memory have.</summary>
    public int Room => _pages.Count == 0 ? 0 : (_pages.Count - 1) * PageSize + _pages[^1].Capacity;

    /// <summary>Its pages in order; all but a single one have <see cref="PageSize"/> positions.</summary>
    public IReadOnlyList<KeyValuePage> Pages => _pages;

    /// <summary>Empties the run and gives it another parent; pages are kept where they fit.</summary>
    /// <param name="parent">What comes before, or null.</param>
    /// <param name="capacity">Most positions of its own.</param>
    /// <param name="start">Position of its first token where it is not the parent's end: what the parent has from there on belongs to another text.</param>
    public void Reset(KeyValues? parent, int capacity, int? start = null)
    {
        (Parent, Start, _count) = (parent, start ?? parent?.End ?? 0, 0);
        _capacity = (Math.Max(capacity, 1) + Block - 1) / Block * Block;
        if (_pages.Count > 0 && _pages[0].Capacity < Math.Min(_capacity, PageSize)) _pages.Clear();
    }

    /// <summary>Width of a head's value in memory.</summary>
    public static int Pad(int headDim) => (headDim + 15) / 16 * 16;

    /// <summary>The page of a position of this run, and its place there.</summary>
    public (KeyValuePage Page, int Index) At(int position) => (_pages[(position - Start) / PageSize], (position - Start) % PageSize);
}
