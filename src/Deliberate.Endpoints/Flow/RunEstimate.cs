using System.Globalization;
using System.Text;

namespace Deliberate.Endpoints.Flow;

/// <summary>What a set of calls may take, estimated before the first is made. Repeated calls are not in it. Immutable.</summary>
public sealed record RunEstimate
{
    /// <summary>Calls.</summary>
    public int Calls { get; init; }

    /// <summary>Tokens in, taken generously.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens out if every completion is as long as it may be.</summary>
    public long MostOutputTokens { get; init; }

    /// <summary>Tokens out if completions are as long as usual; null when that was not said.</summary>
    public long? LikelyOutputTokens { get; init; }

    /// <summary>Cost if every completion is as long as it may be; null when there is no price.</summary>
    public decimal? MostCost { get; init; }

    /// <summary>Cost if completions are as long as usual; null when that or the price is not known.</summary>
    public decimal? LikelyCost { get; init; }

    /// <summary>What the money is called; null when there is no price.</summary>
    public string? Currency { get; init; }

    /// <summary>Least time that the limits on requests and tokens a minute allow; null when there are none.</summary>
    public TimeSpan? LeastTime { get; init; }

    /// <summary>Whether the budget holds all calls, however long their completions are.</summary>
    public bool WithinBudget { get; init; }

    /// <summary>All in one line.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Calls} calls, about {InputTokens} tokens in, ");
        text.Append(LikelyOutputTokens is { } likely ? string.Create(CultureInfo.InvariantCulture, $"about {likely} and at most {MostOutputTokens} out") : string.Create(CultureInfo.InvariantCulture, $"at most {MostOutputTokens} out"));
        if (LikelyCost is { } cost) text.Append(CultureInfo.InvariantCulture, $", about {cost:0.00##} and at most {MostCost:0.00##} {Currency}");
        else if (MostCost is { } most) text.Append(CultureInfo.InvariantCulture, $", at most {most:0.00##} {Currency}");
        if (LeastTime is { } time) text.Append(CultureInfo.InvariantCulture, $", {(int)time.TotalHours:00}:{time:mm\\:ss} or more");
        return text.Append(WithinBudget ? "" : "; the budget may not hold them all").ToString();
    }
}
