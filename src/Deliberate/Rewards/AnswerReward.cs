using Deliberate.Conversations;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Runs;

namespace Deliberate.Rewards;

/// <summary>
/// The reward of reinforcement learning: the judge's score of the answer alone (paper, section 2.4). A malformed completion earns 0
/// without being judged; one that the judge cannot score earns null. Thread-safe as far as the judge is.
/// </summary>
/// <param name="judge">The judge.</param>
public sealed class AnswerReward(IAnswerJudge judge)
{
    /// <summary>Scores a batch.</summary>
    /// <param name="items">What to score, with distinct ids.</param>
    /// <param name="recovery">Where finished verdicts are kept and found again, or null.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>The rewards in the order of the items.</returns>
    /// <exception cref="ArgumentException">Two items have one id.</exception>
    /// <exception cref="InvalidOperationException">Every single call to the judge failed.</exception>
    public async Task<IReadOnlyList<Reward>> ScoreAsync(IReadOnlyList<RewardItem> items, IRecovery<Verdict>? recovery = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count > 1) Ordered.RequireUnique(items.Select(item => item.Id));
        (AnswerView, Spec, string)[] judged = [.. items.Where(item => item.FormatReason is null).Select(item => (item.View, item.Spec, item.Id))];
        var judgements = await judge.JudgeAsync(judged, recovery, null, cancellationToken).ConfigureAwait(false);
        var next = 0;
        return [.. items.Select(item => item.FormatReason is { } reason ? new Reward(item.Id, 0, null, reason) : Scored(item.Id, judgements[next++]))];
    }

    private static Reward Scored(string id, Judgement judgement) => new(id, judgement.Min, judgement);
}
