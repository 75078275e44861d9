using System.Globalization;
using System.Text.Json;
using Deliberate.Auditing;
using Deliberate.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace Deliberate.Server.Dashboard.Audit;

/// <summary>Which exchanges the audit page shows, as its address says it. Immutable.</summary>
/// <param name="Filter">Which.</param>
/// <param name="Before">Those with smaller numbers than this; null: the newest.</param>
/// <param name="After">Those with greater numbers than this; counts before <paramref name="Before"/>.</param>
public sealed record AuditQuery(AuditFilter Filter, long? Before = null, long? After = null)
{
    private const string Minute = "yyyy-MM-ddTHH:mm";

    /// <summary>Reads an address; what cannot be read counts as not given.</summary>
    public static AuditQuery Read(IQueryCollection query)
    {
        ArgumentNullException.ThrowIfNull(query);
        string? Text(string name) => query[name].ToString().Trim() is { Length: > 0 and <= 200 } text ? text : null;
        long? Number(string name) => long.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        DateTimeOffset? Time(string name) =>
            DateTimeOffset.TryParse(Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
        return new(new()
        {
            Caller = Text("caller"),
            Model = Text("model"),
            Outcome = Enum.GetValues<AuditOutcome>().Cast<AuditOutcome?>().FirstOrDefault(outcome => Key(outcome!.Value) == Text("outcome")),
            From = Time("from"),
            To = Time("to"),
        }, Number("before"), Number("after"));
    }

    /// <summary>An outcome as addresses and records write it.</summary>
    public static string Key(AuditOutcome outcome) => JsonSerializer.Serialize(outcome, RunJson.Options).Trim('"');

    /// <summary>An outcome in words.</summary>
    public static string Title(AuditOutcome outcome) => Key(outcome).Replace('_', ' ');

    /// <summary>A time as the field of a form writes it, in UTC.</summary>
    public static string? Field(DateTimeOffset? time) => time?.UtcDateTime.ToString(Minute, CultureInfo.InvariantCulture);

    /// <summary>The address of the exchanges with numbers below one.</summary>
    public string OlderThan(long number) => Address(("before", number));

    /// <summary>The address of the exchanges with numbers above one.</summary>
    public string NewerThan(long number) => Address(("after", number));

    /// <summary>The address of the newest exchanges.</summary>
    public string Newest => Address();

    private string Address(params ReadOnlySpan<(string Name, long Number)> more)
    {
        var query = new QueryBuilder();
        void Add(string name, string? value)
        {
            if (value is not null) query.Add(name, value);
        }

        Add("caller", Filter.Caller);
        Add("model", Filter.Model);
        Add("outcome", Filter.Outcome is { } outcome ? Key(outcome) : null);
        Add("from", Filter.From?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        Add("to", Filter.To?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        foreach (var (name, number) in more) Add(name, number.ToString(CultureInfo.InvariantCulture));
        return Routes.Audit + query;
    }
}
