using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Deliberate.Runs.Store;

/// <summary>What one stage of a run asked of one model, in one wording.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Model">The model.</param>
/// <param name="Template">Version of the format of the messages, or null.</param>
/// <param name="Responses">Responses that the stage uses.</param>
/// <param name="Paid">Those of them that this run paid for; the others were there already.</param>
/// <param name="TokensIn">Tokens of the requests that were paid for, as far as the server told.</param>
/// <param name="TokensOut">Tokens of the responses that were paid for, as far as the server told.</param>
/// <param name="Cost">What they cost, in dollars, as far as known.</param>
public sealed record StageUse(string Stage, string Model, string? Template, long Responses, long Paid, long TokensIn, long TokensOut, decimal Cost);

/// <summary>What one run asked.</summary>
/// <param name="Run">Its name.</param>
/// <param name="Created">When its first record was kept.</param>
/// <param name="Policies">Hashes of the policies in its requests.</param>
/// <param name="Stages">Its stages, by name, model and template.</param>
/// <param name="Failures">Calls that failed and have not succeeded since, by stage.</param>
public sealed record RunUse(
    string Run, DateTimeOffset Created, IReadOnlyList<string> Policies, IReadOnlyList<StageUse> Stages, IReadOnlyList<(string Stage, long Calls)> Failures)
{
    /// <summary>What the run paid, in dollars, as far as known.</summary>
    public decimal Cost => Stages.Sum(stage => stage.Cost);
}

/// <summary>What a store holds.</summary>
/// <param name="File">The store's file.</param>
/// <param name="Bytes">Size of its data.</param>
/// <param name="Responses">Responses in it, each once.</param>
/// <param name="Requests">Distinct requests in it, seeds apart.</param>
/// <param name="Runs">The runs, oldest first.</param>
public sealed record StoreSummary(string File, long Bytes, long Responses, long Requests, IReadOnlyList<RunUse> Runs)
{
    /// <summary>Sums a store up.</summary>
    public static StoreSummary Of(ResponseStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        var policies = store.Rows("SELECT DISTINCT run, policy FROM use WHERE policy IS NOT NULL ORDER BY policy").Select(row => (Run: row.GetInt64(0), Policy: row.GetString(1))).ToLookup(row => row.Run, row => row.Policy);
        var failures = store.Rows("SELECT run, stage, count(*) FROM failure GROUP BY run, stage ORDER BY stage").Select(row => (Run: row.GetInt64(0), Value: (row.GetString(1), row.GetInt64(2)))).ToLookup(row => row.Run, row => row.Value);
        // A response that one stage uses for two prompts counts once.
        var stages = store.Rows("""
            SELECT u.run, u.stage, r.model, r.template, count(*), sum(ifnull(r.paid_by = u.run, 0)),
                sum(iif(r.paid_by = u.run, ifnull(r.tokens_in, 0), 0)), sum(iif(r.paid_by = u.run, ifnull(r.tokens_out, 0), 0)), sum(iif(r.paid_by = u.run, ifnull(r.cost_nano, 0), 0))
            FROM (SELECT DISTINCT run, stage, response FROM use) u JOIN response r ON r.id = u.response
            GROUP BY u.run, u.stage, r.model, r.template ORDER BY u.stage, r.model, r.template
            """).Select(row => (Run: row.GetInt64(0), Stage: new StageUse(
                row.GetString(1), row.GetString(2), Text(row, 3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8) / 1_000_000_000m)))
            .ToLookup(row => row.Run, row => row.Stage);
        var runs = store.Rows("SELECT id, name, created FROM run ORDER BY id").Select(row => (Id: row.GetInt64(0), Name: row.GetString(1), Created: DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)))).ToList();
        var size = store.Rows("SELECT (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()), (SELECT count(*) FROM response), (SELECT count(*) FROM request)")
            .Select(row => (Bytes: row.GetInt64(0), Responses: row.GetInt64(1), Requests: row.GetInt64(2))).Single();
        return new(store.FilePath, size.Bytes, size.Responses, size.Requests,
            [.. runs.Select(run => new RunUse(run.Name, run.Created, [.. policies[run.Id]], [.. stages[run.Id]], [.. failures[run.Id]]))]);
    }

    /// <summary>The run of this name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public RunUse Find(string run) => Runs.FirstOrDefault(known => known.Run == run) ?? throw new ArgumentException(Runs.Count == 0
        ? $"{File} has no run '{run}': it has none at all."
        : string.Create(CultureInfo.InvariantCulture, $"{File} has no run '{run}'; known are {string.Join(", ", Runs.Select(known => known.Run))}."));

    internal static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
