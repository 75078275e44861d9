namespace Deliberate.Auditing;

/// <summary>Which exchanges of a log are looked for; null: whatever it is. Immutable.</summary>
public sealed record AuditFilter
{
    /// <summary>The caller.</summary>
    public string? Caller { get; init; }

    /// <summary>The name under which the model was served.</summary>
    public string? Model { get; init; }

    /// <summary>How the exchange ended.</summary>
    public AuditOutcome? Outcome { get; init; }

    /// <summary>Asked at this time or later.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Asked before this time.</summary>
    public DateTimeOffset? To { get; init; }

    internal bool Takes(in AuditFacts facts, AuditNames callers, AuditNames models) =>
        (Caller is null || callers[facts.Caller] == Caller)
        && (Model is null || models[facts.Model] == Model)
        && (Outcome is null || facts.Outcome == Outcome)
        && (From is not { } from || facts.Begun >= from.UtcTicks)
        && (To is not { } to || facts.Begun < to.UtcTicks);
}
