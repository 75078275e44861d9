using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Models;

/// <summary>
/// The parameters of one model, fp32, row-major, under Hugging Face's tensor names. The two engines exchange
/// models through this type: training writes it after a step, generation reads it.
/// </summary>
/// <remarks>
/// In memory, or backed by a <see cref="StoredModel"/>: then a tensor is converted when it is first asked for by name, and
/// <see cref="Read"/> and <see cref="Stored"/> copy nothing that stays. Reading is thread-safe; whoever fills it hands it over and stops writing.
/// </remarks>
public sealed class ModelWeights
{
    private readonly Dictionary<string, float[]?> _tensors = new(StringComparer.Ordinal);
    private readonly TensorFolder? _stored;

    /// <summary>Allocates all tensors of <paramref name="config"/>, filled with zeros.</summary>
    public ModelWeights(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        foreach (var (name, shape) in config.Tensors())
            _tensors[name] = new float[shape.Aggregate(1, (product, size) => checked(product * size))];
        Parameters = _tensors.Values.Sum(tensor => (long)tensor!.Length);
    }

    internal ModelWeights(ModelConfig config, TensorFolder stored)
    {
        (Config, _stored) = (config, stored);
        foreach (var (name, _) in config.Tensors()) _tensors[name] = null;
        Parameters = _tensors.Keys.Sum(name => stored[name].Count);
    }

    /// <summary>The shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>Number of parameters.</summary>
    public long Parameters { get; }

    /// <summary>The tensor with this name, row-major; kept in fp32 from then on.</summary>
    /// <exception cref="KeyNotFoundException">The model has no such tensor.</exception>
    public float[] this[string name]
    {
        get
        {
            if (_stored is null) return Known(name)!;
            lock (_tensors) return _tensors[name] = Known(name) ?? _stored.FileOf(name).Values(name);
        }
    }

    /// <summary>Reads values <paramref name="start"/> onwards of a tensor; a stored one is converted on the way and not kept.</summary>
    /// <exception cref="KeyNotFoundException">The model has no such tensor.</exception>
    public void Read(string name, long start, Span<float> values)
    {
        if (InMemory(name) is { } tensor) tensor.AsSpan((int)start, values.Length).CopyTo(values);
        else _stored!.FileOf(name).Read(name, start, values);
    }

    /// <summary>A stored tensor's type and bytes where it lies in its file, not copied; false where its values are (also) in memory.</summary>
    /// <exception cref="KeyNotFoundException">The model has no such tensor.</exception>
    public bool Stored(string name, out TensorType type, out ReadOnlySpan<byte> bytes)
    {
        type = TensorType.F32;
        bytes = [];
        if (InMemory(name) is not null) return false;
        type = _stored![name].Type;
        bytes = _stored.FileOf(name).Bytes(name);
        return true;
    }

    private float[]? InMemory(string name)
    {
        if (_stored is null) return Known(name);
        lock (_tensors) return Known(name);
    }

    private float[]? Known(string name) => _tensors.TryGetValue(name, out var tensor) ? tensor
        : throw new KeyNotFoundException($"The model has no tensor '{name}'.");
}
