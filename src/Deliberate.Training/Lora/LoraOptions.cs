namespace Deliberate.Training.Lora;

/// <summary>
/// Which layers get low-rank adapters (Hu et al. 2021: y = W x + s B A x with W frozen), of what rank and scale. Names are those of
/// PEFT's <c>adapter_config.json</c>.
/// </summary>
public sealed record LoraOptions
{
    /// <summary>Rank of A and B (<c>r</c>).</summary>
    public int Rank { get; init; } = 16;

    /// <summary>The scale is this over the rank (<c>lora_alpha</c>).</summary>
    public double Alpha { get; init; } = 32;

    /// <summary>Whether the scale is alpha over the square root of the rank (<c>use_rslora</c>, Kalajdzievski 2023).</summary>
    public bool RsLora { get; init; }

    /// <summary>
    /// Modules by the end of their names, such as <c>q_proj</c> or <c>mlp.down_proj</c>; null for every linear layer of the blocks
    /// (<c>target_modules</c>).
    /// </summary>
    public IReadOnlyList<string>? TargetModules { get; init; }

    /// <summary>Layers that get adapters; null for all (<c>layers_to_transform</c>).</summary>
    public IReadOnlyList<int>? Layers { get; init; }

    /// <summary>Ranks of single modules, by patterns of the end of their names; the first that fits counts (<c>rank_pattern</c>).</summary>
    public IReadOnlyDictionary<string, int> RankPattern { get; init; } = new Dictionary<string, int>();

    /// <summary>As <see cref="RankPattern"/>, of alpha (<c>alpha_pattern</c>).</summary>
    public IReadOnlyDictionary<string, double> AlphaPattern { get; init; } = new Dictionary<string, double>();

    /// <summary>Whether the frozen weights are kept in fp32 rather than bf16: twice the memory, quicker where the processor computes in fp32, exact where they were stored in fp32.</summary>
    public bool Fp32Base { get; init; }

    /// <summary>Seed of A's starting values; B starts at zero.</summary>
    public int Seed { get; init; } = 1;

    // Everything but how the base is kept, as text that names a run.
    internal string Describe() => FormattableString.Invariant(
        $"lora r={Rank} alpha={Alpha} rslora={RsLora} modules={(TargetModules is null ? "all" : string.Join(',', TargetModules))} layers={(Layers is null ? "all" : string.Join(',', Layers))} ranks={string.Join(',', RankPattern.Select(entry => $"{entry.Key}:{entry.Value}"))} alphas={string.Join(',', AlphaPattern.Select(entry => FormattableString.Invariant($"{entry.Key}:{entry.Value}")))} fp32={Fp32Base} seed={Seed}");
}
