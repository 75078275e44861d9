using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Policies;
using Microsoft.Data.Sqlite;

namespace Deliberate.Runs.Store;

/// <summary>The writer's prepared statements. Used by the writer's thread alone, within its transactions.</summary>
internal sealed class StoreStatements : IDisposable
{
    private static readonly ConditionalWeakTable<string, SpecText> SpecTexts = [];

    private readonly TimeProvider _time;
    private readonly Dictionary<string, long> _runs = [];
    private readonly Dictionary<string, long> _specs = [];
    private readonly Statement _begin, _commit, _rollback, _version, _addRun, _findRun, _addSpec, _findSpec, _addRequest, _findRequest, _addResponse, _findResponse, _addUse, _addFailure, _dropFailure;
    private long _seen;

    public StoreStatements(SqliteConnection connection, TimeProvider time)
    {
        (Connection, _time) = (connection, time);
        Statement Prepare(string sql) => new(connection, sql);
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
        _version = Prepare("PRAGMA data_version");
        _addRun = Prepare("INSERT INTO run (name, created) VALUES (@0, @1) ON CONFLICT DO NOTHING");
        _findRun = Prepare("SELECT id FROM run WHERE name = @0");
        _addSpec = Prepare("INSERT INTO spec (hash, category, text) VALUES (@0, @1, @2) ON CONFLICT DO NOTHING");
        _findSpec = Prepare("SELECT id FROM spec WHERE hash = @0");
        _addRequest = Prepare("INSERT INTO request (hash, spec, spec_at, body) VALUES (@0, @1, @2, @3) ON CONFLICT DO NOTHING");
        _findRequest = Prepare("SELECT id FROM request WHERE hash = @0");
        _addResponse = Prepare("""
            INSERT INTO response (key, request, paid_by, model, template, seed, sample, body, finish, tokens_in, tokens_out, cost_nano, created)
            VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9, @10, @11, @12) ON CONFLICT DO NOTHING
            """);
        _findResponse = Prepare("SELECT id FROM response WHERE key = @0");
        _addUse = Prepare("INSERT INTO use (run, response, stage, prompt, policy, category) VALUES (@0, @1, @2, @3, @4, @5) ON CONFLICT DO NOTHING");
        _addFailure = Prepare("""
            INSERT INTO failure (key, run, stage, prompt, sample, model, reason, attempts, first, last) VALUES (@0, @1, @2, @3, @4, @5, @6, 1, @7, @7)
            ON CONFLICT DO UPDATE SET run = excluded.run, stage = excluded.stage, prompt = excluded.prompt, reason = excluded.reason, attempts = attempts + 1, last = excluded.last
            """);
        _dropFailure = Prepare("DELETE FROM failure WHERE key = @0");
    }

    private sealed record SpecText(byte[] TextHash, string Escaped);

    public SqliteConnection Connection { get; }

    public void Begin()
    {
        _begin.Run();
        // Another process may have deleted what is remembered here.
        var version = (long)_version.Scalar()!;
        if (version != _seen) Forget();
        _seen = version;
    }

    public void Commit() => _commit.Run();

    public void Rollback()
    {
        Forget();
        // A full disk, for one, has SQLite roll back by itself.
        if (SQLitePCL.raw.sqlite3_get_autocommit(Connection.Handle) == 0) _rollback.Run();
    }

    /// <summary>Drops remembered row numbers.</summary>
    public void Forget()
    {
        _runs.Clear();
        _specs.Clear();
    }

    /// <summary>False when the key was there already.</summary>
    public bool AddResponse(ReceivedResponse received, PreparedRequest request, string body)
    {
        var now = Now();
        var run = RunId(received.Use.Run, now);
        var key = received.Key.ToBytes();
        var usage = received.Response.Usage;
        var added = _addResponse.Run(
            key, RequestId(request), run, received.Model, received.Details.TemplateVersion, received.Request.Seed, (long)received.Details.SampleIndex, body,
            received.Response.FinishReason?.Value, usage?.InputTokenCount, usage?.OutputTokenCount,
            received.Cost is { } cost ? (long)decimal.Round(cost * 1_000_000_000m) : null, now) == 1;
        AddUse(run, added ? LastRow() : (long)_findResponse.Scalar(key)!, received.Use);
        _dropFailure.Run([key]);
        return added;
    }

    /// <summary>False when there is no such response.</summary>
    public bool AddUse(ResponseKey key, ResponseUse use)
    {
        if (_findResponse.Scalar(key.ToBytes()) is not long response) return false;
        AddUse(RunId(use.Run, Now()), response, use);
        return true;
    }

    public bool AddFailure(ResponseKey key, ResponseUse use, int sample, string model, string reason)
    {
        var now = Now();
        _addFailure.Run(key.ToBytes(), RunId(use.Run, now), use.Stage, use.PromptId, (long)sample, model, reason, now);
        return true;
    }

    /// <summary>Cuts the specification out of a request, where it stands in it word for word. Any thread.</summary>
    public static PreparedRequest Prepare(CanonicalRequest request, Spec? spec)
    {
        if (spec is null) return new(request, null, null, null, request.Json);
        var text = SpecTexts.GetValue(spec.Text, static text => new(SHA256.HashData(Encoding.UTF8.GetBytes(text)), StoreFunctions.Escaped(text)));
        var hash = spec.Category is null ? text.TextHash : SHA256.HashData([.. text.TextHash, .. Encoding.UTF8.GetBytes(spec.Category)]);
        var at = text.Escaped.Length == 0 ? -1 : request.Json.IndexOf(text.Escaped, StringComparison.Ordinal);
        return at < 0 ? new(request, spec, hash, null, request.Json) : new(request, spec, hash, at, request.Json.Remove(at, text.Escaped.Length));
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[_begin, _commit, _rollback, _version, _addRun, _findRun, _addSpec, _findSpec, _addRequest, _findRequest, _addResponse, _findResponse, _addUse, _addFailure, _dropFailure])
            statement.Dispose();
        Connection.Dispose();
    }

    private void AddUse(long run, long response, ResponseUse use) => _addUse.Run(run, response, use.Stage, use.PromptId, use.PolicyHash, use.Category);

    private long RunId(string name, long now)
    {
        if (_runs.TryGetValue(name, out var id)) return id;
        return _runs[name] = _addRun.Run(name, now) == 1 ? LastRow() : (long)_findRun.Scalar(name)!;
    }

    private long RequestId(PreparedRequest request) =>
        _addRequest.Run(request.Request.Hash, SpecId(request), request.SpecAt is { } at ? (long)at : null, request.Body) == 1 ? LastRow() : (long)_findRequest.Scalar(request.Request.Hash)!;

    private long? SpecId(PreparedRequest request)
    {
        if (request.Spec is not { } spec || request.SpecHash is not { } hash) return null;
        var name = Convert.ToHexString(hash);
        if (_specs.TryGetValue(name, out var id)) return id;
        return _specs[name] = _addSpec.Run(hash, spec.Category, spec.Text) == 1 ? LastRow() : (long)_findSpec.Scalar(hash)!;
    }

    private long LastRow() => SQLitePCL.raw.sqlite3_last_insert_rowid(Connection.Handle);

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private sealed class Statement : IDisposable
    {
        private readonly SqliteCommand _command;
        private readonly List<SqliteParameter> _parameters = [];

        public Statement(SqliteConnection connection, string sql)
        {
            _command = connection.CreateCommand();
            _command.CommandText = sql;
            for (var i = 0; sql.Contains($"@{i}", StringComparison.Ordinal); i++) _parameters.Add(_command.Parameters.AddWithValue($"@{i}", DBNull.Value));
        }

        public int Run(params object?[] values)
        {
            Bind(values);
            return _command.ExecuteNonQuery();
        }

        public object? Scalar(params object?[] values)
        {
            Bind(values);
            return _command.ExecuteScalar();
        }

        public void Dispose() => _command.Dispose();

        private void Bind(object?[] values)
        {
            for (var i = 0; i < _parameters.Count; i++) _parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }
}

/// <summary>A request as it is kept: without the text of its specification, which is kept once for all.</summary>
/// <param name="Request">The request.</param>
/// <param name="Spec">The specification it was written from, or null.</param>
/// <param name="SpecHash">Names the specification; null when there is none.</param>
/// <param name="SpecAt">Where its text was cut out, in UTF-16 units; null when it does not stand in the request word for word.</param>
/// <param name="Body">What is left.</param>
internal sealed record PreparedRequest(CanonicalRequest Request, Spec? Spec, byte[]? SpecHash, int? SpecAt, string Body);
