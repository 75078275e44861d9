namespace Deliberate.Runs.Store;

/// <summary>What stands in a column of an export.</summary>
internal enum ColumnKind
{
    Text,
    Integer,
    Real,

    /// <summary>JSON: an object in JSON lines, a text elsewhere.</summary>
    Json,
}

/// <summary>A column of an export.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What stands in it.</param>
/// <param name="Sql">How it is computed.</param>
internal sealed record StoreColumn(string Name, ColumnKind Kind, string Sql);

/// <summary>A table as it is exported: readable names and values in place of row numbers.</summary>
/// <param name="Columns">Its columns.</param>
/// <param name="From">Where its rows come from, with <c>run</c> as the table of runs.</param>
/// <param name="OfRun">Which rows belong to the run @run.</param>
internal sealed record StoreTable(IReadOnlyList<StoreColumn> Columns, string From, string OfRun)
{
    private static readonly StoreColumn Key = Text("key", "lower(hex(r.key))"), Sample = Integer("sample", "r.sample"), Seed = Integer("seed", "r.seed"), Finish = Text("finish", "r.finish"),
        TokensIn = Integer("tokens_in", "r.tokens_in"), TokensOut = Integer("tokens_out", "r.tokens_out"), Cost = new("cost", ColumnKind.Real, "r.cost_nano / 1e9"), Created = Time("created", "r.created"),
        Model = Text("model", "r.model"), Template = Text("template", "r.template");

    /// <summary>The tables by name.</summary>
    public static IReadOnlyDictionary<string, StoreTable> ByName { get; } = new Dictionary<string, StoreTable>
    {
        ["completions"] = new(
            [
                Text("run", "run.name"), Text("stage", "u.stage"), Text("prompt", "u.prompt"), Sample, Text("category", "u.category"), Text("policy", "u.policy"), Model, Template, Seed,
                Text("thinking", "thinking(r.body)"), Text("answer", "answer(r.body)"), Finish, TokensIn, TokensOut, Cost, Created, Key,
            ],
            "use u JOIN run ON run.id = u.run JOIN response r ON r.id = u.response ORDER BY u.run, u.response", "run.name = @run"),
        ["responses"] = new(
            [
                Key, Text("paid_by", "run.name"), Model, Template, Seed, Sample, Text("request", "lower(hex(q.hash))"), Json("response", "r.body"), Finish, TokensIn, TokensOut, Cost, Created,
            ],
            "response r JOIN request q ON q.id = r.request LEFT JOIN run ON run.id = r.paid_by ORDER BY r.id",
            "r.id IN (SELECT response FROM use WHERE run = (SELECT id FROM run WHERE name = @run))"),
        ["requests"] = new(
            [Text("hash", "lower(hex(q.hash))"), Text("category", "spec.category"), Json("request", "whole_request(q.body, q.spec_at, spec.text)")],
            "request q LEFT JOIN spec ON spec.id = q.spec ORDER BY q.id",
            "q.id IN (SELECT request FROM response WHERE id IN (SELECT response FROM use WHERE run = (SELECT id FROM run WHERE name = @run)))"),
        ["failures"] = new(
            [
                Text("key", "lower(hex(f.key))"), Text("run", "run.name"), Text("stage", "f.stage"), Text("prompt", "f.prompt"), Integer("sample", "f.sample"), Text("model", "f.model"),
                Text("reason", "f.reason"), Integer("attempts", "f.attempts"), Time("first", "f.first"), Time("last", "f.last"),
            ],
            "failure f JOIN run ON run.id = f.run ORDER BY f.run, f.stage, f.prompt, f.sample", "run.name = @run"),
        ["runs"] = new([Text("run", "run.name"), Time("created", "run.created")], "run ORDER BY run.id", "run.name = @run"),
    };

    /// <summary>The query of the table; with @run when it is for one run.</summary>
    public string Query(bool oneRun)
    {
        var order = From.IndexOf(" ORDER BY", StringComparison.Ordinal);
        return $"SELECT {string.Join(", ", Columns.Select(column => column.Sql))} FROM {From[..order]}{(oneRun ? $" WHERE {OfRun}" : "")}{From[order..]}";
    }

    private static StoreColumn Text(string name, string sql) => new(name, ColumnKind.Text, sql);

    private static StoreColumn Integer(string name, string sql) => new(name, ColumnKind.Integer, sql);

    private static StoreColumn Json(string name, string sql) => new(name, ColumnKind.Json, sql);

    private static StoreColumn Time(string name, string sql) => new(name, ColumnKind.Text, $"strftime('%Y-%m-%dT%H:%M:%fZ', {sql} / 1000.0, 'unixepoch')");
}
