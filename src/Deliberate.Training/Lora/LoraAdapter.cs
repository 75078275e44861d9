using Deliberate.Inference.Models;

namespace Deliberate.Training.Lora;

/// <summary>The two matrices of one adapted module.</summary>
/// <param name="Rank">Rows of A and columns of B.</param>
/// <param name="Inputs">Columns of A.</param>
/// <param name="Outputs">Rows of B.</param>
/// <param name="Scale">What B A is multiplied by.</param>
/// <param name="A">(rank, inputs), row-major.</param>
/// <param name="B">(outputs, rank), row-major.</param>
public sealed record LoraMatrices(int Rank, int Inputs, int Outputs, double Scale, float[] A, float[] B);

/// <summary>A set of low-rank adapters for one model: what LoRA trains, saves and merges. <see cref="PeftFolder"/> reads and writes it.</summary>
/// <remarks>Reading is thread-safe.</remarks>
public sealed class LoraAdapter
{
    /// <summary>Puts an adapter together.</summary>
    /// <param name="options">What it was made with.</param>
    /// <param name="modules">Matrices by the module's name, such as <c>model.layers.0.self_attn.q_proj</c>.</param>
    public LoraAdapter(LoraOptions options, IReadOnlyDictionary<string, LoraMatrices> modules) => (Options, Modules) = (options, modules);

    /// <summary>What it was made with.</summary>
    public LoraOptions Options { get; }

    /// <summary>Matrices by the module's name.</summary>
    public IReadOnlyDictionary<string, LoraMatrices> Modules { get; }

    /// <summary>Number of trained values.</summary>
    public long Parameters => Modules.Values.Sum(matrices => (long)matrices.A.Length + matrices.B.Length);

    /// <summary>A fresh adapter: A uniform within ±1/√inputs (Kaiming with a = √5, as PEFT has it), B zero, so that nothing changes yet.</summary>
    /// <exception cref="ArgumentException">A target or a layer is not in the model; the message names it.</exception>
    public static LoraAdapter Create(ModelConfig config, LoraOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var random = new Random(options.Seed);
        var modules = new SortedDictionary<string, LoraMatrices>(StringComparer.Ordinal);
        foreach (var (name, outputs, inputs) in LoraTargets.Of(config, options))
        {
            var rank = LoraTargets.RankOf(options, name);
            if (rank < 1) throw new ArgumentException($"The rank of {name} is {rank}; it must be at least 1.", nameof(options));
            var (a, bound) = (new float[rank * inputs], 1 / Math.Sqrt(inputs));
            for (var i = 0; i < a.Length; i++) a[i] = (float)((2 * random.NextDouble() - 1) * bound);
            modules[name] = new(rank, inputs, outputs, LoraTargets.ScaleOf(options, name, rank), a, new float[outputs * rank]);
        }

        return new(options, modules);
    }

    /// <summary>The model with the adapters added to its weights, in fp32: W + s B A.</summary>
    /// <exception cref="InvalidDataException">An adapted module is not in the model or has another shape.</exception>
    public ModelWeights Merge(ModelWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        LoraTargets.Check(this, weights.Config, "The adapter");
        var merged = new ModelWeights(weights.Config);
        foreach (var (name, _) in weights.Config.Tensors()) weights.Read(name, 0, merged[name]);
        foreach (var (module, matrices) in Modules) Add(matrices, merged[module + ".weight"]);
        return merged;
    }

    internal static void Add(LoraMatrices matrices, float[] weight) => Parallel.For(0, matrices.Outputs, row =>
    {
        var target = weight.AsSpan(row * matrices.Inputs, matrices.Inputs);
        for (var i = 0; i < matrices.Rank; i++)
        {
            var factor = (float)(matrices.Scale * matrices.B[row * matrices.Rank + i]);
            var a = matrices.A.AsSpan(i * matrices.Inputs, matrices.Inputs);
            for (var column = 0; column < a.Length; column++) target[column] += factor * a[column];
        }
    });
}
