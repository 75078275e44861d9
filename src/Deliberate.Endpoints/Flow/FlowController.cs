using System.Text.Json;
using Deliberate.Endpoints.Wire;
using Polly;
using Polly.Retry;

namespace Deliberate.Endpoints.Flow;

/// <summary>
/// What all calls to a server have in common: how many may be in flight, how fast they may come, what they may cost, how they are repeated, and
/// what they have come to. Clients of the same server, as a base and a judge may be, can share one. Thread-safe.
/// </summary>
public sealed class FlowController : IDisposable
{
    private readonly ConcurrencyGate _gate;
    private readonly RateGate _rate;
    private readonly Spending _spending;
    private readonly FlowCounters _counters;
    private readonly ResiliencePipeline _pipeline;

    /// <summary>A controller with these limits.</summary>
    /// <exception cref="ArgumentException">A limit is out of range.</exception>
    public FlowController(FlowControlOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Options = options;
        _gate = new(options.MaxConcurrency, options.AdaptiveConcurrency);
        _rate = new(options.RequestsPerMinute, options.TokensPerMinute, options.TimeProvider);
        _spending = new(options);
        _counters = new(options);
        _pipeline = Pipeline();
    }

    /// <summary>The limits.</summary>
    public FlowControlOptions Options { get; }

    /// <summary>What calls have come to so far.</summary>
    public FlowSnapshot Snapshot() => _counters.Snapshot(_gate);

    /// <summary>Says that so many more calls will come, for the time that is left.</summary>
    public void Expect(int calls) => _counters.Expect(calls);

    /// <summary>What a set of calls may take, before the first is made: nothing is sent. Reads the calls once and keeps none.</summary>
    /// <param name="calls">The calls.</param>
    /// <param name="model">The model's name at its server.</param>
    /// <param name="typicalOutputTokens">Tokens that a completion usually takes, as a trial has shown; null to estimate the most alone.</param>
    /// <exception cref="ArgumentException">There is a cap in money and no price for the model.</exception>
    public RunEstimate Estimate(IEnumerable<ChatCall> calls, string model, int? typicalOutputTokens = null)
    {
        ArgumentNullException.ThrowIfNull(calls);
        var price = Price(model);
        var (count, input, output, likely) = (0, 0L, 0L, 0L);
        foreach (var call in calls)
        {
            var estimate = CallEstimate.Of(call.Messages, call.Options, Options.DefaultOutputTokens, price);
            count++;
            input += estimate.InputTokens;
            output += estimate.OutputTokens;
            likely += Math.Min(typicalOutputTokens ?? estimate.OutputTokens, estimate.OutputTokens);
        }

        return new()
        {
            Calls = count,
            InputTokens = input,
            MostOutputTokens = output,
            LikelyOutputTokens = typicalOutputTokens is null ? null : likely,
            MostCost = price?.Of(input, output),
            LikelyCost = typicalOutputTokens is null ? null : price?.Of(input, likely),
            Currency = price is null ? null : Options.Prices!.Currency,
            LeastTime = LeastTime(count, input + likely),
            WithinBudget = Options.TokensTakenBefore + input + output <= (Options.MaxTokens ?? long.MaxValue)
                && Options.CostBefore + (price?.Of(input, output) ?? 0) <= (Options.MaxCost ?? decimal.MaxValue),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _rate.Dispose();

    /// <summary>The price of a model, or null when nothing is paid for.</summary>
    /// <exception cref="ArgumentException">There is a cap in money and no price.</exception>
    internal ModelPrice? Price(string model) => Options.Prices?.Find(model)
        ?? (Options.MaxCost is null ? null : throw new ArgumentException($"The budget is {Options.MaxCost} {Options.Prices!.Currency}, and there is no price for {model}: add it to the prices.", nameof(model)));

    /// <summary>Makes a call, with its repeats.</summary>
    /// <returns>What the call returned, and the place that it holds until its caller says how it ended.</returns>
    internal async Task<(T Value, CallLease Lease)> StartAsync<T>(CallEstimate estimate, ModelPrice? price, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        _counters.Call();
        var attempts = 0;
        try
        {
            return await _pipeline.ExecuteAsync(
                async token =>
                {
                    attempts++;
                    return await AttemptAsync(estimate, price, call, token).ConfigureAwait(false);
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            _counters.Cancel();
            throw;
        }
        catch (BudgetExceededException)
        {
            _counters.Fail(FailureReason.BudgetReached);
            _counters.GiveUp();
            throw;
        }
        catch (EndpointException e)
        {
            _counters.GiveUp();
            if (attempts == 1) throw;
            throw new EndpointException(e.Reason, $"{e.Message} (after {attempts} attempts)", e.StatusCode, e.RetryAfter, e);
        }
        catch
        {
            _counters.GiveUp();
            throw;
        }
    }

    /// <summary>Ends an attempt that succeeded.</summary>
    internal void Succeed(CallLease lease, long input, long output, long reasoning, long cached, bool cut)
    {
        var cost = lease.Price?.Of(input, output, cached) ?? 0;
        _spending.Settle(lease.Estimate, input + output, cost);
        _rate.Settle(lease.Entry, input + output);
        _counters.Succeed(input, output, reasoning, cost, cut);
        _gate.Exit(lease.Ticket, true);
    }

    /// <summary>Ends an attempt that failed or was stopped.</summary>
    /// <returns>What to throw: the same exception, or one with a reason.</returns>
    internal Exception Fail(CallLease lease, Exception exception)
    {
        var failure = exception is OperationCanceledException && lease.Stopped ? exception : Classify(exception, lease);
        var stopped = failure is OperationCanceledException;
        var reason = (failure as EndpointException)?.Reason ?? FailureReason.Unexpected;
        var billed = stopped || (reason.MayBeBilled() && failure is not EndpointException { NeverSent: true } and not (ArgumentException or NotSupportedException or InvalidOperationException));
        if (!stopped) _counters.Fail(reason);
        if (billed) _counters.Uncertain(lease.Estimate.Tokens, lease.Estimate.Cost);
        _spending.Settle(lease.Estimate, billed ? lease.Estimate.Tokens : 0, billed ? lease.Estimate.Cost : 0);
        _rate.Settle(lease.Entry, billed ? lease.Estimate.Tokens : 0);
        var busy = reason is FailureReason.RateLimited or FailureReason.Overloaded;
        // What one call is told holds for all: the others need not be refused to learn it.
        if (busy && failure is EndpointException { RetryAfter: { } wait } && wait <= Options.LongestRetryAfter) _rate.Pause(wait);
        _gate.Exit(lease.Ticket, busy ? false : null);
        return failure;
    }

    private async Task<(T Value, CallLease Lease)> AttemptAsync<T>(CallEstimate estimate, ModelPrice? price, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var ticket = await _gate.EnterAsync(cancellationToken).ConfigureAwait(false);
        var reserved = false;
        RateGate.Entry entry;
        try
        {
            await _spending.ReserveAsync(estimate, cancellationToken).ConfigureAwait(false);
            reserved = true;
            entry = await _rate.EnterAsync(estimate.Tokens, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            if (reserved) _spending.Settle(estimate, 0, 0);
            _gate.Exit(ticket, null);
            throw;
        }

        var lease = new CallLease(this, ticket, entry, estimate, price, cancellationToken);
        try
        {
            return (await call(lease.Token).ConfigureAwait(false), lease);
        }
        catch (Exception e)
        {
            var failure = lease.Fail(e);
            if (ReferenceEquals(failure, e)) throw;
            throw failure;
        }
    }

    private Exception Classify(Exception exception, CallLease lease) => exception switch
    {
        EndpointException => exception,
        OperationCanceledException when lease.TimedOut => new EndpointException(FailureReason.Timeout, $"no whole reply within {Options.CallTimeout!.Value.TotalSeconds:0.###} s", inner: exception),
        OperationCanceledException or TimeoutException => new EndpointException(FailureReason.Timeout, "no whole reply within the client's time limit", inner: exception),
        HttpRequestException { StatusCode: { } status } => new EndpointException(Refusals.Reason((int)status), $"the server answers {(int)status}", (int)status, inner: exception),
        HttpRequestException e => new EndpointException(FailureReason.Connection, $"no connection: {Refusals.OneLine(e.Message)}", inner: e) { NeverSent = Refusals.IsNeverSent(e) },
        IOException => new EndpointException(FailureReason.TruncatedReply, "the reply broke off before its end", inner: exception),
        JsonException => new EndpointException(FailureReason.MalformedReply, "the reply is no JSON", inner: exception),
        _ => exception,
    };

    private ResiliencePipeline Pipeline()
    {
        if (Options.MaxRetries == 0) return ResiliencePipeline.Empty;
        return new ResiliencePipelineBuilder { TimeProvider = Options.TimeProvider }.AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = Options.MaxRetries,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = Options.RetryDelay,
            MaxDelay = Options.MaxRetryDelay,
            Randomizer = Options.Randomizer,
            ShouldHandle = arguments => ValueTask.FromResult(
                arguments.Outcome.Exception is EndpointException failure && failure.Reason.IsTransient() && !(failure.RetryAfter > Options.LongestRetryAfter)),
            DelayGenerator = arguments => ValueTask.FromResult(
                arguments.Outcome.Exception is EndpointException { RetryAfter: { } wait } ? wait + (Options.RetryDelay * Options.Randomizer()) : (TimeSpan?)null),
            OnRetry = _ =>
            {
                _counters.Retry();
                return ValueTask.CompletedTask;
            },
        }).Build();
    }

    private TimeSpan? LeastTime(int calls, long tokens)
    {
        var minutes = Math.Max(Options.RequestsPerMinute is { } requests ? (double)calls / requests : 0, Options.TokensPerMinute is { } allowed ? (double)tokens / allowed : 0);
        return Options.RequestsPerMinute is null && Options.TokensPerMinute is null ? null : TimeSpan.FromMinutes(minutes);
    }
}
