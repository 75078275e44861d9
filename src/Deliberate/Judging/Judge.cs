using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Policies;
using Deliberate.Runs;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;

namespace Deliberate.Judging;

/// <summary>
/// Has a model judge completions against a policy, several times each. A run that fails, times out, is cut or says nothing readable is
/// unscored, never a zero. Every call has its own seed, so that results do not depend on concurrency. Thread-safe as far as the client is.
/// </summary>
public sealed class Judge : IAnswerJudge
{
    private readonly IJudgeFormat _format;
    private readonly JudgeRuns _runs;

    /// <summary>A judge that asks this client.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Judge(IChatClient client, IJudgeFormat format, JudgeOptions options)
    {
        ArgumentNullException.ThrowIfNull(format);
        (_format, _runs) = (format, new(client, options));
    }

    /// <inheritdoc/>
    public string Version => _format.Version;

    /// <summary>Judges thoughts with their answers, to select training data.</summary>
    /// <param name="items">What to judge, by which specification, and a distinct id of each.</param>
    /// <param name="recovery">Where finished verdicts are kept and found again, or null. Runs that failed or timed out are not kept, but asked again.</param>
    /// <param name="progress">Hears how many verdicts are done, of items times runs.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>The judgements in the order of the items.</returns>
    /// <exception cref="ArgumentException">Two items have one id.</exception>
    /// <exception cref="InvalidOperationException">Every single call failed: the judge is out of reach.</exception>
    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<(FullView View, Spec Spec, string Id)> items,
        IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        return RunAsync([.. items.Select(item => item.Id)], index => items[index].Spec, index => _format.Ask(items[index].View, items[index].Spec), recovery, progress, cancellationToken);
    }

    /// <summary>Judges answers alone, for the reward: no thought can be handed in.</summary>
    /// <inheritdoc cref="JudgeAsync(IReadOnlyList{ValueTuple{FullView, Spec, string}}, IRecovery{Verdict}, IProgress{int}, CancellationToken)"/>
    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<(AnswerView View, Spec Spec, string Id)> items,
        IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        return RunAsync([.. items.Select(item => item.Id)], index => items[index].Spec, index => _format.Ask(items[index].View, items[index].Spec), recovery, progress, cancellationToken);
    }

    /// <summary>Judges one thought with its answer, for those who stream. Runs whose call failed have no score.</summary>
    /// <param name="view">What to judge.</param>
    /// <param name="spec">By which specification.</param>
    /// <param name="id">Its id, of which each call's seed is made.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public Task<Judgement> JudgeAsync(FullView view, Spec spec, string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(view);
        return OneAsync(spec, id, () => _format.Ask(view, spec), cancellationToken);
    }

    /// <summary>Judges one answer alone, for those who stream.</summary>
    /// <inheritdoc cref="JudgeAsync(FullView, Spec, string, CancellationToken)"/>
    public Task<Judgement> JudgeAsync(AnswerView view, Spec spec, string id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(view);
        return OneAsync(spec, id, () => _format.Ask(view, spec), cancellationToken);
    }

    private async Task<Judgement> OneAsync(Spec spec, string id, Func<JudgeQuestion> question, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var verdicts = await _runs.AskAllAsync(
            _runs.Options.Runs,
            run => string.Create(CultureInfo.InvariantCulture, $"{id}#{run}"),
            run => CallSeed.Derive(_runs.Options.Seed, id, run),
            run => new CallDetails(id, run, spec, _format.Version),
            _ => question(), null, null, cancellationToken).ConfigureAwait(false);
        return new(verdicts, _runs.Options.RequireAll);
    }

    private async Task<IReadOnlyList<Judgement>> RunAsync(
        string[] ids, Func<int, Spec> spec, Func<int, JudgeQuestion> question, IRecovery<Verdict>? recovery, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        Ordered.RequireUnique(ids);
        var runs = _runs.Options.Runs;
        var verdicts = await _runs.RunAsync(
            ids.Length * runs,
            number => string.Create(CultureInfo.InvariantCulture, $"{ids[number / runs]}#{number % runs}"),
            number => CallSeed.Derive(_runs.Options.Seed, ids[number / runs], number % runs),
            number => new CallDetails(ids[number / runs], number % runs, spec(number / runs), _format.Version),
            number => question(number / runs), recovery, progress, cancellationToken).ConfigureAwait(false);
        return [.. verdicts.Chunk(runs).Select(ofItem => new Judgement(ofItem, _runs.Options.RequireAll))];
    }
}
