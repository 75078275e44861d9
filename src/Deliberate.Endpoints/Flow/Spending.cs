using System.Globalization;

namespace Deliberate.Endpoints.Flow;

/// <summary>
/// Keeps what is spent below the cap. A call is let through only when what was spent, what the calls in flight may take at most and what it may
/// take itself stay below it together; while calls are in flight that may turn out cheaper, it waits. Thread-safe.
/// </summary>
internal sealed class Spending(FlowControlOptions options)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _tokens = options.TokensTakenBefore;
    private decimal _cost = options.CostBefore;
    private long _reservedTokens;
    private decimal _reservedCost;
    private int _reservations;

    /// <summary>Sets aside what a call may take.</summary>
    /// <exception cref="BudgetExceededException">It could pass the cap even if nothing else were in flight.</exception>
    public async Task ReserveAsync(CallEstimate estimate, CancellationToken cancellationToken)
    {
        if (options.MaxTokens is null && options.MaxCost is null) return;
        while (true)
        {
            Task settled;
            lock (_lock)
            {
                if (Fits(_tokens + _reservedTokens + estimate.Tokens, _cost + _reservedCost + estimate.Cost))
                {
                    (_reservedTokens, _reservedCost, _reservations) = (_reservedTokens + estimate.Tokens, _reservedCost + estimate.Cost, _reservations + 1);
                    return;
                }

                if (_reservations == 0 || !Fits(_tokens + estimate.Tokens, _cost + estimate.Cost)) throw Exceeded(estimate);
                settled = _settled.Task;
            }

            await settled.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Replaces what was set aside by what was taken.</summary>
    public void Settle(CallEstimate estimate, long tokens, decimal cost)
    {
        if (options.MaxTokens is null && options.MaxCost is null) return;
        TaskCompletionSource settled;
        lock (_lock)
        {
            (_reservedTokens, _reservedCost, _reservations) = (_reservedTokens - estimate.Tokens, _reservedCost - estimate.Cost, _reservations - 1);
            (_tokens, _cost) = (_tokens + tokens, _cost + cost);
            (settled, _settled) = (_settled, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        settled.SetResult();
    }

    private bool Fits(long tokens, decimal cost) => tokens <= (options.MaxTokens ?? long.MaxValue) && cost <= (options.MaxCost ?? decimal.MaxValue);

    private BudgetExceededException Exceeded(CallEstimate estimate)
    {
        var currency = options.Prices?.Currency;
        var tokens = options.MaxTokens is { } mostTokens && _tokens + estimate.Tokens > mostTokens;
        return new(tokens
            ? string.Create(CultureInfo.InvariantCulture, $"The budget of {options.MaxTokens} tokens is reached: {_tokens} are spent and the next call may take {estimate.Tokens}. Raise the budget, or ask for shorter completions.")
            : string.Create(CultureInfo.InvariantCulture, $"The budget of {options.MaxCost} {currency} is reached: {_cost:0.####} are spent and the next call may cost {estimate.Cost:0.####}. Raise the budget, or ask for shorter completions."));
    }
}
