namespace Deliberate.Endpoints.Flow;

/// <summary>How calls to a model are limited, repeated and paid for. The defaults suit a server of one's own; a provider's limits are the user's to give.</summary>
public sealed record FlowControlOptions
{
    /// <summary>Most calls in flight, at least 1.</summary>
    public int MaxConcurrency { get; init; } = 16;

    /// <summary>Whether fewer calls are in flight after the server has said that it has too much to do, and more again while all goes well.</summary>
    public bool AdaptiveConcurrency { get; init; } = true;

    /// <summary>Most requests in any minute, repeated ones included; null sets no limit.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Most tokens in any minute, in and out together; null sets no limit. A call counts with its estimate until its reply says what it took.</summary>
    public long? TokensPerMinute { get; init; }

    /// <summary>How long one attempt may take, to the end of its reply; null sets no limit.</summary>
    public TimeSpan? CallTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often a call that failed for a passing reason is repeated, at least 0.</summary>
    public int MaxRetries { get; init; } = 6;

    /// <summary>The wait before the first repeat, which doubles with each; the waits vary at random, so that calls that failed together do not come back together.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait that the doubling leads to.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest wait that a server may ask for (Retry-After); a call of which more is asked fails.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>What tokens cost; null when nothing is paid for.</summary>
    public PriceTable? Prices { get; init; }

    /// <summary>Most tokens that all calls together may take, in and out; null sets no limit.</summary>
    public long? MaxTokens { get; init; }

    /// <summary>Most money that all calls together may cost, in the currency of <see cref="Prices"/>; null sets no limit.</summary>
    public decimal? MaxCost { get; init; }

    /// <summary>Tokens taken before, as by a run that goes on: they count towards <see cref="MaxTokens"/>.</summary>
    public long TokensTakenBefore { get; init; }

    /// <summary>Money spent before, as by a run that goes on: it counts towards <see cref="MaxCost"/>.</summary>
    public decimal CostBefore { get; init; }

    /// <summary>Tokens of a completion that a call is taken to need at most when it does not say.</summary>
    public int DefaultOutputTokens { get; init; } = 4096;

    /// <summary>The clock. Tests give one that moves when it is told to.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Random numbers from 0 up to 1, for the waits; called from many threads.</summary>
    public Func<double> Randomizer { get; init; } = Random.Shared.NextDouble;

    /// <summary>Checks that all is in range.</summary>
    /// <exception cref="ArgumentException">Something is not; the message names it.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxConcurrency, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RequestsPerMinute ?? 1, 1, nameof(RequestsPerMinute));
        ArgumentOutOfRangeException.ThrowIfLessThan(TokensPerMinute ?? 1, 1, nameof(TokensPerMinute));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(CallTimeout ?? TimeSpan.MaxValue, TimeSpan.Zero, nameof(CallTimeout));
        ArgumentOutOfRangeException.ThrowIfNegative(MaxRetries);
        ArgumentOutOfRangeException.ThrowIfNegative(RetryDelay.Ticks, nameof(RetryDelay));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRetryDelay, RetryDelay);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxTokens ?? 0, nameof(MaxTokens));
        ArgumentOutOfRangeException.ThrowIfNegative(MaxCost ?? 0, nameof(MaxCost));
        ArgumentOutOfRangeException.ThrowIfLessThan(DefaultOutputTokens, 1);
        if (MaxCost is not null && Prices is null) throw new ArgumentException("A cap in money needs prices: set Prices too.", nameof(MaxCost));
    }
}
