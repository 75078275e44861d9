using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Deliberate.Inference.Generation;

namespace Deliberate.Cli.Commands;

/// <summary>Makes options whose bad values are told in one plain line.</summary>
internal static class OptionsOf
{
    /// <summary>A whole number of at least <paramref name="least"/>.</summary>
    public static Option<int> Number(string name, string description, int least, int otherwise) => new(name)
    {
        HelpName = "N",
        Description = description,
        DefaultValueFactory = _ => otherwise,
        CustomParser = result => Parsed<int>(result, word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least ? number : null,
            $"{name} takes a whole number of at least {least.ToString(CultureInfo.InvariantCulture)}"),
    };

    /// <summary>A number of minutes above zero.</summary>
    public static Option<double> Minutes(string name, string description, double otherwise) => new(name)
    {
        HelpName = "N",
        Description = description,
        DefaultValueFactory = _ => otherwise,
        CustomParser = result => Parsed<double>(result, word => double.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null,
            $"{name} takes a number of minutes above 0"),
    };

    /// <summary>A number above 0, also as 2e-5.</summary>
    public static Option<double> Positive(string name, string description, double otherwise) => new(name)
    {
        HelpName = "X",
        Description = description,
        DefaultValueFactory = _ => otherwise,
        CustomParser = result => Parsed<double>(result, word => double.TryParse(word, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number) && number > 0 && double.IsFinite(number) ? number : null,
            $"{name} takes a number above 0"),
    };

    /// <summary>A number from 0 to 1.</summary>
    public static Option<double> Share(string name, string description, double otherwise) => new(name)
    {
        HelpName = "X",
        Description = description,
        DefaultValueFactory = _ => otherwise,
        CustomParser = result => Parsed<double>(result, word => double.TryParse(word, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 1 ? number : null,
            $"{name} takes a number from 0 to 1"),
    };

    /// <summary>One of a few words; without it the value is <typeparamref name="T"/>'s default.</summary>
    public static Option<T> Choice<T>(string name, string description, IReadOnlyDictionary<string, T> choices) where T : struct => new(name)
    {
        HelpName = string.Join('|', choices.Keys),
        Description = description,
        CustomParser = result => Parsed<T>(result, word => choices.TryGetValue(word, out var choice) ? choice : null, $"{name} is one of {string.Join(", ", choices.Keys)}"),
    };

    /// <summary>How a model's weights are kept in memory.</summary>
    public static Option<WeightStorage> Weights()
    {
        return Choice("--weights", "How weights are kept in memory. [default: as they are stored, without loss]",
            new Dictionary<string, WeightStorage> { ["auto"] = WeightStorage.Auto, ["fp32"] = WeightStorage.Fp32, ["bf16"] = WeightStorage.Bf16, ["int8"] = WeightStorage.Int8 });
    }

    private static T Parsed<T>(ArgumentResult result, Func<string, T?> parse, string rule) where T : struct
    {
        var word = result.Tokens[0].Value;
        if (parse(word) is { } value) return value;
        result.AddError($"{rule}; '{word}' is not.");
        return default;
    }
}
