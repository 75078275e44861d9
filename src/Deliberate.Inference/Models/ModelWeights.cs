namespace Deliberate.Inference.Models;

/// <summary>
/// The parameters of one model in memory, fp32, row-major, under Hugging Face's tensor names. The two engines exchange
/// models through this type: training writes it after a step, generation reads it.
/// </summary>
/// <remarks>Not synchronised: whoever fills it hands it over and stops writing.</remarks>
public sealed class ModelWeights
{
    private readonly Dictionary<string, float[]> _tensors = [];

    /// <summary>Allocates all tensors of <paramref name="config"/>, filled with zeros.</summary>
    public ModelWeights(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        foreach (var (name, shape) in config.Tensors())
            _tensors[name] = new float[shape.Aggregate(1, (product, size) => checked(product * size))];
    }

    /// <summary>The shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>Number of parameters.</summary>
    public long Parameters => _tensors.Values.Sum(tensor => (long)tensor.Length);

    /// <summary>The tensor with this name, row-major.</summary>
    /// <exception cref="KeyNotFoundException">The model has no such tensor.</exception>
    public float[] this[string name] => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"The model has no tensor '{name}'.");
}
