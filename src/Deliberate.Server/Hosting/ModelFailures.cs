using Deliberate.Endpoints;
using Deliberate.Serving;

namespace Deliberate.Server.Hosting;

/// <summary>Names failures of models, and the errors that callers get for them, without a word of what the model or its server said.</summary>
internal static class ModelFailures
{
    private const string Refused = "the model cannot take the request";

    /// <summary>The kind of a failure.</summary>
    public static string KindOf(Exception failure) => failure switch
    {
        EndpointException { Reason: FailureReason.RefusedRequest } or ArgumentException or NotSupportedException => Refused,
        EndpointException endpoint => endpoint.Reason.Describe(),
        _ => failure.GetType().Name,
    };

    /// <summary>The error for a failure.</summary>
    public static ApiError ErrorOf(ModelFailedException failure)
    {
        ApiError Server(int status, string code) => new(status, "server_error", code, failure.Message);
        return failure.Kind switch
        {
            Refused => ApiError.Invalid(null, "The model cannot take this request: the conversation is too long for it, or a setting is out of its range.", "context_length_exceeded"),
            ModelFailedException.AuditLog => Server(503, "audit_unavailable"),
            var kind when kind == FailureReason.RateLimited.Describe() || kind == FailureReason.Overloaded.Describe() || kind == FailureReason.BudgetReached.Describe() => Server(503, "model_unavailable"),
            var kind when kind == FailureReason.Timeout.Describe() => Server(504, "model_timeout"),
            var kind when Enum.GetValues<FailureReason>().Any(reason => reason.Describe() == kind) => Server(502, "model_unreachable"),
            _ => Server(500, "model_failed"),
        };
    }
}
