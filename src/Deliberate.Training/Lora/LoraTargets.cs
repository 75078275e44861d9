using System.Globalization;
using System.Text.RegularExpressions;
using Deliberate.Inference.Models;

namespace Deliberate.Training.Lora;

/// <summary>Which modules of a model are meant by the options of LoRA, by PEFT's rules.</summary>
internal static class LoraTargets
{
    private const int LongestPattern = 200;

    /// <summary>The linear layers of the blocks: name, outputs, inputs.</summary>
    public static IEnumerable<(string Module, int Outputs, int Inputs)> Linear(ModelConfig config) => config.Tensors()
        .Where(tensor => tensor.Shape.Length == 2 && tensor.Name.StartsWith("model.layers.", StringComparison.Ordinal))
        .Select(tensor => (tensor.Name[..^".weight".Length], tensor.Shape[0], tensor.Shape[1]));

    /// <summary>Those that the options choose, in the model's order.</summary>
    /// <exception cref="ArgumentException">A target or a layer fits nothing.</exception>
    public static IReadOnlyList<(string Module, int Outputs, int Inputs)> Of(ModelConfig config, LoraOptions options)
    {
        if (options.Layers?.FirstOrDefault(layer => layer < 0 || layer >= config.Layers, -1) is { } bad && bad != -1 || options.Layers is { Count: 0 })
            throw new ArgumentException($"LoRA: there is no such layer in a model of {config.Layers} layers: {string.Join(',', options.Layers)}.", nameof(options));
        foreach (var target in options.TargetModules ?? [])
            if (!Linear(config).Any(module => Ends(module.Module, target)))
                throw new ArgumentException($"LoRA: target '{target}' is no linear layer of the model's blocks; there are {string.Join(", ", Linear(config).Where(module => LayerOf(module.Module) == 0).Select(module => module.Module.Split('.')[^1]))}.", nameof(options));
        return [.. Linear(config).Where(module => (options.TargetModules is null || options.TargetModules.Any(target => Ends(module.Module, target)))
            && (options.Layers is null || options.Layers.Contains(LayerOf(module.Module))))];
    }

    /// <summary>The rank of a module.</summary>
    public static int RankOf(LoraOptions options, string module) => Pick(options.RankPattern, module, options.Rank);

    /// <summary>The scale of a module that has this rank.</summary>
    public static double ScaleOf(LoraOptions options, string module, int rank)
    {
        var alpha = Pick(options.AlphaPattern, module, options.Alpha);
        return alpha / (options.RsLora ? Math.Sqrt(rank) : rank);
    }

    /// <summary>Refuses an adapter whose matrices do not fit the model.</summary>
    /// <exception cref="InvalidDataException">The message begins with <paramref name="what"/> and names the module.</exception>
    public static void Check(LoraAdapter adapter, ModelConfig config, string what)
    {
        var linear = Linear(config).ToDictionary(module => module.Module, StringComparer.Ordinal);
        foreach (var (module, matrices) in adapter.Modules)
        {
            if (!linear.TryGetValue(module, out var layer)) throw new InvalidDataException($"{what}: '{module}' is no linear layer of the model's blocks. Take the base model that the adapter was trained on.");
            if (matrices.Outputs != layer.Outputs || matrices.Inputs != layer.Inputs)
                throw new InvalidDataException($"{what}: '{module}' adapts a layer of shape [{matrices.Outputs}, {matrices.Inputs}]; the model's is [{layer.Outputs}, {layer.Inputs}]. Take the base model that the adapter was trained on.");
        }
    }

    /// <summary>Whether a module's name is this one or ends in it after a dot.</summary>
    public static bool Ends(string module, string target) =>
        module.EndsWith(target, StringComparison.Ordinal) && (module.Length == target.Length || module[^(target.Length + 1)] == '.');

    /// <summary>Compiles a pattern of PEFT's, which stands for the end of a name; it may come from a file, so it cannot backtrack.</summary>
    /// <exception cref="InvalidDataException">It is too long or no such pattern.</exception>
    public static Regex Pattern(string pattern)
    {
        try
        {
            if (pattern.Length <= LongestPattern) return new($@"^(.*\.)?({pattern})$", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw new InvalidDataException($"LoRA: '{pattern}' is no pattern that can be matched without backtracking: {error.Message.ReplaceLineEndings(" ")}", error);
        }

        throw new InvalidDataException($"LoRA: a pattern has {pattern.Length} letters; at most {LongestPattern} are read.");
    }

    private static T Pick<T>(IReadOnlyDictionary<string, T> patterns, string module, T otherwise)
    {
        foreach (var (pattern, value) in patterns)
            if (Pattern(pattern).IsMatch(module)) return value;
        return otherwise;
    }

    private static int LayerOf(string module) => int.Parse(module.Split('.')[2], CultureInfo.InvariantCulture);
}
