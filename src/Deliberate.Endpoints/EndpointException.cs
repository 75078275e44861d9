using Deliberate.Runs;

namespace Deliberate.Endpoints;

/// <summary>
/// A call to an endpoint that did not give a completion. The message says in one line where, what and how to mend it; it never holds a key.
/// </summary>
/// <param name="reason">Why it failed.</param>
/// <param name="message">Where, what, and how to mend it.</param>
/// <param name="statusCode">The HTTP status, or null when there was none.</param>
/// <param name="retryAfter">How long the server asks to wait, or null.</param>
/// <param name="inner">What caused it, or null.</param>
public class EndpointException(FailureReason reason, string message, int? statusCode = null, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner), IFinalFailure
{
    /// <summary>Why it failed.</summary>
    public FailureReason Reason { get; } = reason;

    /// <inheritdoc/>
    public bool EndsRun => Reason.EndsRun();

    /// <summary>The HTTP status, or null when there was none.</summary>
    public int? StatusCode { get; } = statusCode;

    /// <summary>How long the server asks to wait, or null.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>True when it is certain that the server never had the call, so that it costs nothing.</summary>
    public bool NeverSent { get; init; }
}
