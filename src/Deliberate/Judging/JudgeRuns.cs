using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Runs;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;

namespace Deliberate.Judging;

/// <summary>
/// Asks a judge many questions at once. A question that fails, times out, is cut or is answered unreadably has no score, which is never a zero.
/// Thread-safe as far as the client is.
/// </summary>
internal sealed class JudgeRuns
{
    private readonly IChatClient _client;
    private readonly JudgeOptions _options;

    public JudgeRuns(IChatClient client, JudgeOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Runs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Concurrency, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Temperature);
        (_client, _options) = (client, options);
    }

    public JudgeOptions Options => _options;

    /// <summary>Asks questions 0…count-1.</summary>
    /// <param name="count">How many questions there are.</param>
    /// <param name="id">A question's distinct name, under which its verdict is kept.</param>
    /// <param name="seed">The seed of its call.</param>
    /// <param name="details">What the call is about, for clients that keep responses.</param>
    /// <param name="question">The question; made when it is asked.</param>
    /// <param name="recovery">Where finished verdicts are kept and found again, or null. Calls that failed or timed out are not kept.</param>
    /// <param name="progress">Hears how many are done.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="InvalidOperationException">Every single call failed.</exception>
    /// <remarks>A failure that ends the run (<see cref="IFinalFailure"/>) is thrown as it is.</remarks>
    public async Task<Verdict[]> RunAsync(
        int count, Func<int, string> id, Func<int, int> seed, Func<int, CallDetails> details, Func<int, JudgeQuestion> question,
        IRecovery<Verdict>? recovery, IProgress<int>? progress, CancellationToken cancellationToken)
    {
        var verdicts = await AskAllAsync(count, id, seed, details, question, recovery, progress, cancellationToken).ConfigureAwait(false);
        // One failed call is an accident; if all fail, going on would only hide that the judge is out of reach.
        if (verdicts.Length > 0 && verdicts.All(verdict => verdict.Kind == VerdictKinds.Failed))
            throw new InvalidOperationException($"Every call to the judge failed: {verdicts[^1].Reason}");
        return verdicts;
    }

    /// <summary>As <see cref="RunAsync"/>, but whoever asks looks after calls that failed: even all of them are verdicts without score.</summary>
    public Task<Verdict[]> AskAllAsync(
        int count, Func<int, string> id, Func<int, int> seed, Func<int, CallDetails> details, Func<int, JudgeQuestion> question,
        IRecovery<Verdict>? recovery, IProgress<int>? progress, CancellationToken cancellationToken) =>
        Ordered.RunAsync(count, _options.Concurrency, async (number, token) =>
        {
            var name = id(number);
            if (recovery is not null && recovery.TryGet(name, out var known)) return known;
            using var call = details(number).Enter();
            try
            {
                var verdict = await AskAsync(question(number), seed(number), token).ConfigureAwait(false);
                if (recovery is not null && verdict.Kind != VerdictKinds.TimedOut) await recovery.AddAsync(name, verdict, token).ConfigureAwait(false);
                return verdict;
            }
            catch (CallFailedException failed)
            {
                return Verdict.Unscored(VerdictKinds.Failed, failed.Message);
            }
        }, progress, cancellationToken);

    private async Task<Verdict> AskAsync(JudgeQuestion question, int seed, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (_options.Timeout is { } timeout) limit.CancelAfter(timeout);
        var options = new ChatOptions
        {
            Temperature = (float)_options.Temperature,
            MaxOutputTokens = _options.MaxTokens,
            Seed = seed,
            ResponseFormat = _options.Structured ? question.Structure : null,
        };
        ChatResponse response;
        try
        {
            // WaitAsync: a client that does not listen to its token must not hold the judge up either.
            response = await _client.GetResponseAsync(question.Messages, options, limit.Token).WaitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return Verdict.Unscored(VerdictKinds.TimedOut, string.Create(CultureInfo.InvariantCulture, $"no response within {_options.Timeout!.Value.TotalSeconds:0.###} s"));
        }
        catch (Exception problem) when (problem is not IFinalFailure { EndsRun: true })
        {
            throw new CallFailedException(problem);
        }

        var completion = CompletionReader.Read(response, _options.ThinkingOpened);
        if (completion.Truncated) return Verdict.Unscored(VerdictKinds.Truncated, "the response was cut");
        var verdict = question.Read(completion);
        return verdict.Score is null or (>= 0 and <= 1) ? verdict : Verdict.Unscored(VerdictKinds.OutOfRange, $"the score is not between 0 and 1: {verdict.Reason}");
    }

    // Tells a failing client from a failing log or format, which must not be mistaken for a judge's failure.
    private sealed class CallFailedException(Exception inner) : Exception(inner.Message, inner);
}
