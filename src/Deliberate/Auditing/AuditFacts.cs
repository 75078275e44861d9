using System.Text.Json;
using Deliberate.Runs;

namespace Deliberate.Auditing;

/// <summary>Kinds of records.</summary>
internal enum AuditKind : byte
{
    /// <summary>It cannot be read.</summary>
    Unreadable,

    /// <summary>An exchange.</summary>
    Exchange,

    /// <summary>It says what was taken out of others.</summary>
    Cleaning,
}

/// <summary>What is remembered of a record, so that it is found again without reading it: 32 bytes.</summary>
/// <param name="End">Where its line ends in the file.</param>
/// <param name="Begun">When it was asked, in UTC ticks.</param>
/// <param name="Caller">The caller among the names; -1: none.</param>
/// <param name="Model">The model among the names; -1: none.</param>
/// <param name="Kind">What kind of record it is.</param>
/// <param name="Outcome">How the exchange ended.</param>
internal readonly record struct AuditFacts(long End, long Begun, int Caller, int Model, AuditKind Kind, AuditOutcome Outcome)
{
    private static readonly Dictionary<string, AuditOutcome> Outcomes = Enum.GetValues<AuditOutcome>().ToDictionary(outcome => JsonSerializer.Serialize(outcome, RunJson.Options).Trim('"'));

    /// <summary>Reads a line as far as the facts reach: its parts, which are most of it, are not looked at, and no hash is checked.</summary>
    public static AuditFacts Read(ReadOnlySpan<byte> line, long end, AuditNames callers, AuditNames models)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!Enter(ref reader) || !Next(ref reader) || !reader.ValueTextEquals("head"u8) || !Enter(ref reader)) return Unreadable(end);
            var kind = AuditKind.Cleaning;
            while (Next(ref reader))
            {
                if (reader.ValueTextEquals("kind"u8))
                {
                    reader.Read();
                    if (reader.ValueTextEquals("exchange"u8)) kind = AuditKind.Exchange;
                }
                else if (reader.ValueTextEquals("exchange"u8))
                {
                    return kind == AuditKind.Exchange && Enter(ref reader) ? Exchange(ref reader, end, callers, models) : Unreadable(end);
                }
                else
                {
                    reader.Skip();
                }
            }

            return kind == AuditKind.Cleaning ? new(end, 0, AuditNames.None, AuditNames.None, kind, default) : Unreadable(end);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or FormatException)
        {
            return Unreadable(end);
        }
    }

    private static AuditFacts Exchange(ref Utf8JsonReader reader, long end, AuditNames callers, AuditNames models)
    {
        var (begun, caller, model, outcome) = (0L, AuditNames.None, AuditNames.None, (AuditOutcome?)null);
        while (Next(ref reader))
        {
            var name = reader.ValueTextEquals("begun"u8) ? 'b' : reader.ValueTextEquals("caller"u8) ? 'c' : reader.ValueTextEquals("model"u8) ? 'm' : reader.ValueTextEquals("outcome"u8) ? 'o' : ' ';
            reader.Read();
            switch (name)
            {
                case 'b': begun = reader.GetDateTimeOffset().UtcTicks; break;
                case 'c': caller = callers.NumberOf(reader.GetString()); break;
                case 'm': model = models.NumberOf(reader.GetString()); break;
                case 'o' when reader.GetString() is { } word && Outcomes.TryGetValue(word, out var known): outcome = known; break;
                default: reader.Skip(); break;
            }
        }

        return outcome is { } ended ? new(end, begun, caller, model, AuditKind.Exchange, ended) : Unreadable(end);
    }

    private static AuditFacts Unreadable(long end) => new(end, 0, AuditNames.None, AuditNames.None, AuditKind.Unreadable, default);

    private static bool Enter(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.StartObject;

    private static bool Next(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;
}
