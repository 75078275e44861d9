namespace Deliberate.Inference.Weights;

/// <summary>Reads values <paramref name="start"/> onwards of a tensor, row-major.</summary>
public delegate void TensorReader(long start, Span<float> values);

/// <summary>A tensor to write: its values are asked for when its turn comes, so that a model need not be in memory whole.</summary>
public sealed class TensorToWrite
{
    private readonly Func<TensorReader> _open;

    /// <summary>A tensor that is given whole.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">F32, F16 or BF16; values are rounded to nearest even.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <param name="values">Gives its values, row-major.</param>
    public TensorToWrite(string name, TensorType type, IReadOnlyList<long> shape, Func<float[]> values)
    {
        (Name, Type, Shape) = (name, type, shape);
        _open = () =>
        {
            var all = values();
            if (all.Length != Count) throw new ArgumentException($"Tensor '{name}' has {all.Length} values; its shape says {Count}.");
            return (start, part) => all.AsSpan((int)start, part.Length).CopyTo(part);
        };
    }

    /// <summary>A tensor that is read in parts, in order.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">F32, F16 or BF16; values are rounded to nearest even.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <param name="read">Reads a part.</param>
    public TensorToWrite(string name, TensorType type, IReadOnlyList<long> shape, TensorReader read)
    {
        (Name, Type, Shape) = (name, type, shape);
        _open = () => read;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>How it is stored.</summary>
    public TensorType Type { get; }

    /// <summary>Its dimensions.</summary>
    public IReadOnlyList<long> Shape { get; }

    internal long Count => Shape.Aggregate(1L, (product, size) => checked(product * size));

    internal long Length => checked(Count * Type.Size());

    internal TensorReader Open() => _open();
}
