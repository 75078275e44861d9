namespace Deliberate.Auditing;

/// <summary>The parts of an exchange that can be taken out of a log while its chain still holds.</summary>
[Flags]
public enum AuditParts
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary>What was asked.</summary>
    Conversation = 1,

    /// <summary>The thought.</summary>
    Thinking = 2,

    /// <summary>The answer.</summary>
    Answer = 4,

    /// <summary>What a failing model said.</summary>
    Error = 8,

    /// <summary>All of them: who asked which model when, how it ended and which clauses were cited remain.</summary>
    All = Conversation | Thinking | Answer | Error,
}

/// <summary>What an audit log keeps, and for how long. Immutable.</summary>
public sealed record AuditOptions
{
    /// <summary>Parts that are never written; only their hashes are.</summary>
    public AuditParts Withheld { get; init; }

    /// <summary>After how long the parts <see cref="Redacted"/> are taken out of the records; null: never.</summary>
    public TimeSpan? RedactAfter { get; init; }

    /// <summary>The parts that <see cref="RedactAfter"/> is about.</summary>
    public AuditParts Redacted { get; init; } = AuditParts.All;

    /// <summary>After how long whole segments are deleted; null: never. Of those that are left, the last may hold older records.</summary>
    public TimeSpan? KeepFor { get; init; }

    /// <summary>From how many bytes on a segment is closed and the next begun. One is also begun with each day (UTC).</summary>
    public long SegmentBytes { get; init; } = 64 << 20;
}
