using System.Collections;

namespace Deliberate.Inference.Models;

/// <summary>Some of a model's layers, by index; equal where it holds the same ones, so that configurations compare by value.</summary>
/// <remarks>Immutable, so thread-safe.</remarks>
public sealed class LayerSet(IEnumerable<int> layers) : IReadOnlyCollection<int>, IEquatable<LayerSet>
{
    private readonly SortedSet<int> _layers = [.. layers];

    /// <summary>No layer.</summary>
    public static LayerSet None { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _layers.Count;

    /// <summary>Whether this layer is one of them.</summary>
    public bool Contains(int layer) => _layers.Contains(layer);

    /// <summary>In rising order.</summary>
    public IEnumerator<int> GetEnumerator() => _layers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(LayerSet? other) => other is not null && _layers.SetEquals(other._layers);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LayerSet);

    /// <inheritdoc/>
    public override int GetHashCode() => _layers.Aggregate(0, HashCode.Combine);

    /// <summary>The indices, as <c>0,2,4</c>.</summary>
    public override string ToString() => string.Join(',', _layers);
}
