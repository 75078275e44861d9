using Deliberate.Conversations;
using Deliberate.Policies;
using Deliberate.Runs;

namespace Deliberate.Judging;

/// <summary>Judges answers alone, as a reward does: a model that reads the policy, propositions, or a rule.</summary>
public interface IAnswerJudge
{
    /// <summary>Names the way of judging; changed with every change of it.</summary>
    string Version { get; }

    /// <summary>Judges answers: no thought can be handed in.</summary>
    /// <param name="items">What to judge, by which specification, and a distinct id of each.</param>
    /// <param name="recovery">Where finished verdicts are kept and found again, or null.</param>
    /// <param name="progress">Hears how many verdicts are done.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>The judgements in the order of the items.</returns>
    /// <exception cref="ArgumentException">Two items have one id.</exception>
    /// <exception cref="InvalidOperationException">Every single call failed: the judge is out of reach.</exception>
    Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<(AnswerView View, Spec Spec, string Id)> items,
        IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default);
}
