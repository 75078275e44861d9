using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Flow;

/// <summary>The place that an attempt holds from its start to the end of its reply. It is given back once: the first end counts.</summary>
internal sealed class CallLease
{
    private readonly FlowController _controller;
    private readonly CancellationToken _stop;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _either;
    private bool _ended;

    public CallLease(FlowController controller, int ticket, RateGate.Entry entry, CallEstimate estimate, ModelPrice? price, CancellationToken stop)
    {
        (_controller, Ticket, Entry, Estimate, Price, _stop) = (controller, ticket, entry, estimate, price, stop);
        var options = controller.Options;
        _timeout = options.CallTimeout is { } most ? new(most, options.TimeProvider) : new();
        _either = CancellationTokenSource.CreateLinkedTokenSource(stop, _timeout.Token);
        Token = _either.Token;
    }

    public int Ticket { get; }

    public RateGate.Entry Entry { get; }

    public CallEstimate Estimate { get; }

    public ModelPrice? Price { get; }

    /// <summary>Ends the attempt when its time is over or its caller stops it.</summary>
    public CancellationToken Token { get; }

    /// <summary>Whether the caller has stopped it.</summary>
    public bool Stopped => _stop.IsCancellationRequested;

    /// <summary>Whether its time is over.</summary>
    public bool TimedOut => _timeout.IsCancellationRequested && !Stopped;

    /// <summary>Ends it with a reply.</summary>
    /// <param name="usage">What the reply says that it took; what it does not say is estimated.</param>
    /// <param name="texts">Thought and answer.</param>
    /// <param name="cut">Whether the completion was cut.</param>
    public void Succeed(UsageDetails? usage, IEnumerable<string> texts, bool cut)
    {
        if (!End()) return;
        _controller.Succeed(
            this, usage?.InputTokenCount ?? Estimate.InputTokens, usage?.OutputTokenCount ?? texts.Sum(CallEstimate.TokensOf), usage?.ReasoningTokenCount ?? 0, usage?.CachedInputTokenCount ?? 0, cut);
    }

    /// <summary>Ends it with a failure.</summary>
    /// <returns>What to throw.</returns>
    public Exception Fail(Exception exception)
    {
        if (_ended) return exception;
        var failure = _controller.Fail(this, exception);
        End();
        return failure;
    }

    /// <summary>Ends it because its reader left before the end, unless it has ended already.</summary>
    public void Leave()
    {
        if (!_ended) Fail(new OperationCanceledException("The reader left before the end of the reply."));
    }

    private bool End()
    {
        if (_ended) return false;
        _ended = true;
        _either.Dispose();
        _timeout.Dispose();
        return true;
    }
}
