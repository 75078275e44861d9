using Deliberate.Judging;
using Deliberate.Rewards;

namespace Deliberate.Server.Rewards;

/// <summary>What became of one item. It holds no text of the answer or the judge unless reasons are shown. Immutable.</summary>
/// <param name="Score">From 0 to 1, or null when the item is unscored.</param>
/// <param name="Failure">Why it is unscored, one of <see cref="VerdictKinds"/> or <see cref="Failures"/>; null when it has a score.</param>
/// <param name="Malformed">Why the completion earns 0 without being judged, or null.</param>
/// <param name="Scored">The judge's runs with a score.</param>
/// <param name="Unscored">The judge's runs without one.</param>
/// <param name="Criteria">The scores of single criteria of the run that counts, where the judge gave them.</param>
/// <param name="Reason">The judge's words, or null when they are not shown.</param>
internal sealed record Outcome(
    double? Score, string? Failure = null, string? Malformed = null, int Scored = 0, int Unscored = 0, Criteria? Criteria = null, string? Reason = null)
{
    /// <summary>The outcome of a reward: the same mapping that reinforcement learning here has.</summary>
    public static Outcome Of(Reward reward, bool showReasons)
    {
        if (reward.FormatReason is { } reason) return new(0, Malformed: reason);
        var judgement = reward.Judgement!;
        var counts = reward.Value is null ? judgement.Verdicts.FirstOrDefault(verdict => verdict.Score is null) : judgement.Worst;
        return new(
            reward.Value, reward.Value is null ? counts?.Kind ?? VerdictKinds.Unparsable : null, null, judgement.Scored, judgement.Unscored,
            counts?.Criteria, showReasons ? counts?.Reason : null);
    }

    /// <summary>An item that could not be judged.</summary>
    public static Outcome Failed(string failure, string? reason = null) => new(null, failure, Reason: reason);

    /// <summary>Why the item is unscored, in one line without its content.</summary>
    public string Explanation => (Failure switch
    {
        VerdictKinds.Unparsable => "the judge's reply holds no verdict that can be read",
        VerdictKinds.OutOfRange => "the judge's score is not between 0 and 1",
        VerdictKinds.Truncated => "the judge's reply was cut at its token limit",
        VerdictKinds.TimedOut => "the judge did not reply in time",
        VerdictKinds.Failed => "the call to the judge failed",
        Failures.Overloaded => "too many items wait for the judge; send them more slowly or start a second server",
        Failures.Unlabelled => "the category could not be told; name it in the request or set a default",
        Failures.Stopped => "the server is stopping",
        _ => "the judge gave no score",
    }) + (Reason is { Length: > 0 } reason ? $": {reason}" : "");
}

/// <summary>Reasons of the server itself why an item is unscored.</summary>
internal static class Failures
{
    public const string Overloaded = "overloaded";

    public const string Unlabelled = "unlabelled";

    public const string Stopped = "stopped";
}
