namespace Deliberate.Auditing;

/// <summary>A record of a log as a list shows it.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Entry">The exchange; null when it cannot be read.</param>
/// <param name="Problem">Why it cannot be read, without a word of what it says; null when it can.</param>
public sealed record AuditListed(long Number, AuditEntry? Entry, string? Problem);

/// <summary>Some exchanges of a log, newest first. Immutable.</summary>
/// <param name="Items">The exchanges, and records in their place that cannot be read.</param>
/// <param name="First">Number of the first record that the log has; 0 when it has none.</param>
/// <param name="Last">Number of its last record.</param>
/// <param name="Older">Older ones have numbers below this; null: there are none.</param>
/// <param name="Newer">Newer ones have numbers above this; null: these are the newest.</param>
/// <param name="Stopped">
/// Whether the search stopped before there were as many as were asked for, since it had read enough; it goes on from <paramref name="Older"/> or <paramref name="Newer"/>.
/// </param>
public sealed record AuditListing(IReadOnlyList<AuditListed> Items, long First, long Last, long? Older, long? Newer, bool Stopped);
