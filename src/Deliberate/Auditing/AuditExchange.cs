using System.Text.Json.Serialization;
using Deliberate.Conversations;

namespace Deliberate.Auditing;

/// <summary>How an exchange ended.</summary>
public enum AuditOutcome
{
    /// <summary>With a whole answer.</summary>
    Answered,

    /// <summary>Cut at the token limit, in the thought or in the answer.</summary>
    Truncated,

    /// <summary>The model failed.</summary>
    Failed,

    /// <summary>The caller left, or the server stopped, before the end.</summary>
    BrokenOff,
}

/// <summary>A clause that a thought or an answer cites.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Exists">Whether the served version of the policy has it.</param>
public sealed record AuditCitation(string Code, bool Exists);

/// <summary>One exchange with a model, as it is kept for auditors. Immutable.</summary>
public sealed record AuditExchange
{
    /// <summary>Names the exchange; the id of the response that the caller got.</summary>
    public required string Id { get; init; }

    /// <summary>Names the caller, such as a key's id; null when it is not known.</summary>
    public string? Caller { get; init; }

    /// <summary>When it was asked.</summary>
    public required DateTimeOffset Begun { get; init; }

    /// <summary>When the reply was whole, failed or was broken off.</summary>
    public required DateTimeOffset Ended { get; init; }

    /// <summary>The name under which the model is served.</summary>
    public required string Model { get; init; }

    /// <summary>Names the model's parameters.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Hash of the policy that is served; null when there is none.</summary>
    public string? PolicyHash { get; init; }

    /// <summary>The category whose clauses stood in the model's context in full; null when none did.</summary>
    public string? Category { get; init; }

    /// <summary>How many sentences were taken out of the answer because they showed the policy.</summary>
    public int Stripped { get; init; }

    /// <summary>The clauses that the thought and the answer cite, in the order of their first citation.</summary>
    public IReadOnlyList<AuditCitation> Citations { get; init; } = [];

    /// <summary>How it ended.</summary>
    public required AuditOutcome Outcome { get; init; }

    /// <summary>Tokens of the prompt; null when the model does not say.</summary>
    public long? InputTokens { get; init; }

    /// <summary>Tokens of the reply, those of the thought included; null when the model does not say.</summary>
    public long? OutputTokens { get; init; }

    /// <summary>Tokens of the thought; null when the model does not say.</summary>
    public long? ReasoningTokens { get; init; }

    /// <summary>Whether the caller was shown the thought.</summary>
    public bool ThinkingShown { get; init; }

    /// <summary>What was asked; null when it was redacted.</summary>
    [JsonIgnore]
    public IReadOnlyList<Turn>? Conversation { get; init; }

    /// <summary>The thought; null when it was redacted.</summary>
    [JsonIgnore]
    public string? Thinking { get; init; }

    /// <summary>The answer that the caller got, or as much of it as there was; null when it was redacted.</summary>
    [JsonIgnore]
    public string? Answer { get; init; }

    /// <summary>What went wrong, in the model's own words; null when nothing did, or when it was redacted.</summary>
    [JsonIgnore]
    public string? Error { get; init; }
}

/// <summary>An exchange at its place in the log.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Hash">The hash of its record, which the next one holds.</param>
/// <param name="Exchange">The exchange.</param>
public sealed record AuditEntry(long Number, string Hash, AuditExchange Exchange);
