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
public sealed class Judge
{
    private readonly IChatClient _client;
    private readonly IJudgeFormat _format;
    private readonly JudgeOptions _options;

    /// <summary>A judge that asks this client.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Judge(IChatClient client, IJudgeFormat format, JudgeOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Runs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Concurrency, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Temperature);
        (_client, _format, _options) = (client, format, options);
    }

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
        return RunAsync([.. items.Select(item => item.Id)], index => items[index].Spec, index => _format.Write(items[index].View, items[index].Spec), recovery, progress, cancellationToken);
    }

    /// <summary>Judges answers alone, for the reward: no thought can be handed in.</summary>
    /// <inheritdoc cref="JudgeAsync(IReadOnlyList{ValueTuple{FullView, Spec, string}}, IRecovery{Verdict}, IProgress{int}, CancellationToken)"/>
    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<(AnswerView View, Spec Spec, string Id)> items,
        IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        return RunAsync([.. items.Select(item => item.Id)], index => items[index].Spec, index => _format.Write(items[index].View, items[index].Spec), recovery, progress, cancellationToken);
    }

    private async Task<IReadOnlyList<Judgement>> RunAsync(
        string[] ids, Func<int, Spec> spec, Func<int, IReadOnlyList<ChatMessage>> write, IRecovery<Verdict>? recovery, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        Ordered.RequireUnique(ids);
        Exception? failure = null;
        var verdicts = await Ordered.RunAsync(ids.Length * _options.Runs, _options.Concurrency, async (number, token) =>
        {
            var (item, run) = (number / _options.Runs, number % _options.Runs);
            var id = string.Create(CultureInfo.InvariantCulture, $"{ids[item]}#{run}");
            if (recovery is not null && recovery.TryGet(id, out var known)) return known;
            using var call = new CallDetails(ids[item], run, spec(item), _format.Version).Enter();
            try
            {
                var verdict = await AskAsync(write(item), CallSeed.Derive(_options.Seed, ids[item], run), token).ConfigureAwait(false);
                if (recovery is not null && verdict.Kind != VerdictKinds.TimedOut) await recovery.AddAsync(id, verdict, token).ConfigureAwait(false);
                return verdict;
            }
            catch (CallFailedException failed)
            {
                failure = failed.InnerException;
                return Verdict.Unscored(VerdictKinds.Failed, failed.Message);
            }
        }, progress, cancellationToken).ConfigureAwait(false);

        // One failed call is an accident; if all fail, going on would only hide that the judge is out of reach.
        if (failure is not null && verdicts.All(verdict => verdict.Kind == VerdictKinds.Failed))
            throw new InvalidOperationException($"Every call to the judge failed: {failure.Message}", failure);
        return [.. verdicts.Chunk(_options.Runs).Select(runs => new Judgement(runs, _options.RequireAll))];
    }

    private async Task<Verdict> AskAsync(IReadOnlyList<ChatMessage> messages, int seed, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (_options.Timeout is { } timeout) limit.CancelAfter(timeout);
        var options = new ChatOptions { Temperature = (float)_options.Temperature, MaxOutputTokens = _options.MaxTokens, Seed = seed };
        ChatResponse response;
        try
        {
            // WaitAsync: a client that does not listen to its token must not hold the judge up either.
            response = await _client.GetResponseAsync(messages, options, limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return Verdict.Unscored(VerdictKinds.TimedOut, string.Create(CultureInfo.InvariantCulture, $"no response within {_options.Timeout!.Value.TotalSeconds:0.###} s"));
        }
        catch (Exception problem)
        {
            throw new CallFailedException(problem);
        }

        var completion = CompletionReader.Read(response, _options.ThinkingOpened);
        if (completion.Truncated) return Verdict.Unscored(VerdictKinds.Truncated, "the response was cut");
        var verdict = _format.Read(completion);
        return verdict.Score is null or (>= 0 and <= 1) ? verdict : Verdict.Unscored(VerdictKinds.OutOfRange, $"the score is not between 0 and 1: {verdict.Reason}");
    }

    // Tells a failing client from a failing log or format, which must not be mistaken for a judge's failure.
    private sealed class CallFailedException(Exception inner) : Exception(inner.Message, inner);
}
