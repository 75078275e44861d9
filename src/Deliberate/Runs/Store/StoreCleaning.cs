using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Deliberate.Runs.Store;

/// <summary>What is to be deleted from a store: whole runs, stale responses, or both. A response goes only when no run that stays uses it, or when it is stale.</summary>
/// <param name="Runs">Names of the runs.</param>
/// <param name="StaleFor">Responses whose specification would read otherwise under this state's policy; null deletes none for that reason.</param>
public sealed record CleaningRequest(IReadOnlyList<string> Runs, PresentState? StaleFor = null);

/// <summary>What a cleaning deletes.</summary>
/// <param name="Responses">Responses.</param>
/// <param name="Characters">Characters in them.</param>
/// <param name="Cost">What they cost, in dollars, as far as known: what asking again would cost.</param>
/// <param name="Kept">Responses that stay.</param>
public sealed record CleaningResult(long Responses, long Characters, decimal Cost, long Kept);

/// <summary>Deletes what is no longer wanted from a store.</summary>
public static class StoreCleaning
{
    /// <summary>Tells what would be deleted.</summary>
    /// <exception cref="ArgumentException">A run is not there.</exception>
    public static CleaningResult Plan(ResponseStore store, CleaningRequest request) => Plan(store, Doomed(store, request).Responses);

    /// <summary>Deletes. When the task ends, it is done.</summary>
    /// <returns>What was deleted.</returns>
    /// <exception cref="ArgumentException">A run is not there.</exception>
    public static async Task<CleaningResult> ApplyAsync(ResponseStore store, CleaningRequest request)
    {
        var (runs, responses) = Doomed(store, request);
        var plan = Plan(store, responses);
        await store.WriteAsync(statements =>
        {
            var connection = statements.Connection;
            connection.Execute($"""
                DROP TABLE IF EXISTS temp.doomed;
                CREATE TEMP TABLE doomed AS {responses};
                DELETE FROM use WHERE run IN ({runs}) OR response IN (SELECT id FROM doomed);
                DELETE FROM failure WHERE run IN ({runs});
                UPDATE response SET paid_by = NULL WHERE paid_by IN ({runs});
                DELETE FROM response WHERE id IN (SELECT id FROM doomed);
                DELETE FROM request WHERE id NOT IN (SELECT request FROM response);
                DELETE FROM spec WHERE id NOT IN (SELECT spec FROM request WHERE spec IS NOT NULL);
                DELETE FROM run WHERE id IN ({runs});
                DROP TABLE temp.doomed;
                """);
            statements.Forget();
            return true;
        }).ConfigureAwait(false);
        return plan;
    }

    /// <summary>Gives the room of deleted records back to the file system. Nobody else may be using the store.</summary>
    /// <exception cref="IOException">Somebody is.</exception>
    public static void Compact(string path)
    {
        using var connection = StoreFile.OpenWriter(path);
        try
        {
            connection.Execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException problem)
        {
            throw StoreFile.Explain(path, problem);
        }
    }

    private static CleaningResult Plan(ResponseStore store, string responses) => store.Rows($"""
        SELECT count(*), ifnull(sum(length(body)), 0), ifnull(sum(cost_nano), 0), (SELECT count(*) FROM response) - count(*) FROM response WHERE id IN ({responses})
        """).Select(row => new CleaningResult(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2) / 1_000_000_000m, row.GetInt64(3))).Single();

    // The runs as a list of numbers, and a query for the ids of the responses.
    private static (string Runs, string Responses) Doomed(ResponseStore store, CleaningRequest request)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(request);
        var known = store.Rows("SELECT name, id FROM run").ToDictionary(row => row.GetString(0), row => row.GetInt64(1));
        foreach (var name in request.Runs.Where(name => !known.ContainsKey(name))) StoreSummary.Of(store).Find(name);
        var runs = List(request.Runs.Select(name => known[name]));
        var unused = $"SELECT id FROM response EXCEPT SELECT response FROM use WHERE run NOT IN ({runs})";
        if (request.StaleFor is null) return (runs, unused);
        var stale = List(Staleness.Judged(store, request.StaleFor).Where(spec => spec.Value.Reason != StaleReason.None).Select(spec => spec.Key));
        return (runs, $"{unused} UNION SELECT r.id FROM response r JOIN request q ON q.id = r.request WHERE q.spec IN ({stale})");
    }

    private static string List(IEnumerable<long> ids) => string.Join(", ", ids.Select(id => id.ToString(CultureInfo.InvariantCulture)));
}
