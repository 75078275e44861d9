using System.Globalization;
using System.Text;

namespace Deliberate.Endpoints.Flow;

/// <summary>What calls to a model have come to so far. Immutable.</summary>
public sealed record FlowSnapshot
{
    /// <summary>Calls that were asked for.</summary>
    public int Calls { get; init; }

    /// <summary>Calls that have their reply.</summary>
    public int Succeeded { get; init; }

    /// <summary>Calls that were given up.</summary>
    public int Failed { get; init; }

    /// <summary>Calls that their caller stopped.</summary>
    public int Cancelled { get; init; }

    /// <summary>Attempts after the first.</summary>
    public int Retries { get; init; }

    /// <summary>Attempts that failed, repeated ones included, by reason.</summary>
    public IReadOnlyDictionary<FailureReason, int> Failures { get; init; } = new Dictionary<FailureReason, int>();

    /// <summary>Replies that were cut at their token limit, or whose thought never ended. They count as succeeded.</summary>
    public int Cut { get; init; }

    /// <summary>Attempts in flight.</summary>
    public int InFlight { get; init; }

    /// <summary>Calls that wait for their turn.</summary>
    public int Waiting { get; init; }

    /// <summary>How many attempts may be in flight now.</summary>
    public int ConcurrencyLimit { get; init; }

    /// <summary>Tokens in, as replies say; estimated for those that do not say.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens out, thought included, as replies say; estimated for those that do not say.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Tokens of thought among those out, as far as replies say.</summary>
    public long ReasoningTokens { get; init; }

    /// <summary>Tokens that attempts may have taken which failed after the server had begun to work. They count towards the budget.</summary>
    public long UncertainTokens { get; init; }

    /// <summary>What the replies cost; 0 when nothing is paid for.</summary>
    public decimal Cost { get; init; }

    /// <summary>What the uncertain tokens cost at most.</summary>
    public decimal UncertainCost { get; init; }

    /// <summary>What the money is called; null when nothing is paid for.</summary>
    public string? Currency { get; init; }

    /// <summary>Time since the first call.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Replies a minute, over the last minute.</summary>
    public double CallsPerMinute { get; init; }

    /// <summary>Tokens a minute, in and out, over the last minute.</summary>
    public double TokensPerMinute { get; init; }

    /// <summary>Calls that are still expected; null when nobody said how many there will be.</summary>
    public int? Left { get; init; }

    /// <summary>Time that these take at the rate of the last minute; null when that is not known.</summary>
    public TimeSpan? TimeLeft { get; init; }

    /// <summary>All in one line.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{Succeeded} of {(Left is { } left ? Succeeded + Failed + left : Calls)} calls");
        if (Failed > 0) text.Append(CultureInfo.InvariantCulture, $", {Failed} failed");
        if (Retries > 0) text.Append(CultureInfo.InvariantCulture, $", {Retries} {(Retries == 1 ? "retry" : "retries")}");
        if (Failures.Count > 0)
            text.Append(CultureInfo.InvariantCulture, $" ({string.Join(", ", Failures.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key).Select(entry => $"{entry.Key.Describe()} {entry.Value}"))})");
        if (Cut > 0) text.Append(CultureInfo.InvariantCulture, $", {Cut} cut");
        text.Append(CultureInfo.InvariantCulture, $", {InputTokens} tokens in, {OutputTokens} out");
        if (Currency is not null) text.Append(CultureInfo.InvariantCulture, $", {Cost:0.00##} {Currency}");
        text.Append(CultureInfo.InvariantCulture, $", {CallsPerMinute:0} a minute");
        if (Left > 0 && TimeLeft is { } time) text.Append(CultureInfo.InvariantCulture, $", {(int)time.TotalHours:00}:{time:mm\\:ss} left");
        return text.ToString();
    }
}
