using System.Globalization;
using System.Text.Json.Serialization;
using Deliberate.Runs;

namespace Deliberate.Evaluation;

/// <summary>One measured value with its uncertainty.</summary>
/// <param name="Value">The value; NaN when nothing could be measured (written as null).</param>
/// <param name="Low">Lower end of the 95 % interval.</param>
/// <param name="High">Upper end of the 95 % interval.</param>
/// <param name="N">Number of items behind it.</param>
/// <param name="Unscored">Items left out because they could not be scored.</param>
public sealed record Metric(
    [property: JsonConverter(typeof(NanConverter))] double Value,
    [property: JsonConverter(typeof(NanConverter))] double Low,
    [property: JsonConverter(typeof(NanConverter))] double High,
    int N,
    int Unscored = 0)
{
    /// <summary>A metric of no items.</summary>
    /// <param name="unscored">Items left out because they could not be scored.</param>
    public static Metric None(int unscored = 0) => new(double.NaN, double.NaN, double.NaN, 0, unscored);

    /// <summary>"0.910 [0.884, 0.934] (n 400, 3 unscored)".</summary>
    public override string ToString()
    {
        var left = Unscored == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {Unscored} unscored");
        return N == 0 ? $"not measured (n 0{left})" : string.Create(CultureInfo.InvariantCulture, $"{Value:0.000} [{Low:0.000}, {High:0.000}] (n {N}{left})");
    }
}
