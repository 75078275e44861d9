namespace Deliberate.Endpoints;

/// <summary>Why a call failed. A completion that was cut at its token limit is no failure: see <see cref="Conversations.Completion.Truncated"/>.</summary>
public enum FailureReason
{
    /// <summary>Anything else; the exception says what.</summary>
    Unexpected,

    /// <summary>The server says that calls come too fast (429).</summary>
    RateLimited,

    /// <summary>The server says that it has too much to do (503, 529).</summary>
    Overloaded,

    /// <summary>The server failed (any other 5xx, or an error in place of a reply).</summary>
    ServerError,

    /// <summary>No whole reply came within the time that a call may take.</summary>
    Timeout,

    /// <summary>No connection, or it broke before a reply began.</summary>
    Connection,

    /// <summary>The reply is not what the interface promises: no JSON, or JSON of another shape.</summary>
    MalformedReply,

    /// <summary>The reply broke off before its end.</summary>
    TruncatedReply,

    /// <summary>The server refuses the key (401, 403).</summary>
    RefusedKey,

    /// <summary>The server refuses the request as it is (400, 404, 422 and the like).</summary>
    RefusedRequest,

    /// <summary>The account has nothing left to pay with (402, or 429 with that reason).</summary>
    OutOfCredit,

    /// <summary>The call was not made, because it could pass the budget.</summary>
    BudgetReached,
}

/// <summary>What follows from a reason.</summary>
public static class FailureReasons
{
    /// <summary>The reason in words, as shown in messages and reports.</summary>
    public static string Describe(this FailureReason reason) => reason switch
    {
        FailureReason.RateLimited => "rate limited",
        FailureReason.Overloaded => "overloaded",
        FailureReason.ServerError => "server error",
        FailureReason.Timeout => "timeout",
        FailureReason.Connection => "connection",
        FailureReason.MalformedReply => "malformed reply",
        FailureReason.TruncatedReply => "truncated reply",
        FailureReason.RefusedKey => "refused key",
        FailureReason.RefusedRequest => "refused request",
        FailureReason.OutOfCredit => "out of credit",
        FailureReason.BudgetReached => "budget reached",
        _ => "unexpected",
    };

    /// <summary>Whether the same call may succeed a little later.</summary>
    public static bool IsTransient(this FailureReason reason) => reason is FailureReason.RateLimited or FailureReason.Overloaded or FailureReason.ServerError
        or FailureReason.Timeout or FailureReason.Connection or FailureReason.MalformedReply or FailureReason.TruncatedReply;

    /// <summary>Whether the server may have worked for the call all the same, so that it may have to be paid for; unless the call was never sent.</summary>
    public static bool MayBeBilled(this FailureReason reason) =>
        reason is FailureReason.Timeout or FailureReason.Connection or FailureReason.MalformedReply or FailureReason.TruncatedReply or FailureReason.Unexpected;

    /// <summary>Whether every other call will fail for the same reason, so that a run had better end.</summary>
    public static bool EndsRun(this FailureReason reason) => reason is FailureReason.RefusedKey or FailureReason.OutOfCredit or FailureReason.BudgetReached;
}
