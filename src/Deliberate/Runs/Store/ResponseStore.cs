using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.AI;

namespace Deliberate.Runs.Store;

/// <summary>
/// Every response that was paid for, in one SQLite file shared by many runs: what is in it is never asked again. A response is on disk before
/// <see cref="AddAsync"/> ends; responses that arrive together share a flush. Thread-safe, and safe for several processes on one machine.
/// <c>docs/store.md</c> describes it.
/// </summary>
public sealed class ResponseStore : IDisposable
{
    private readonly StoreWriter? _writer;
    private readonly ConcurrentBag<Reader> _readers = [];
    private volatile bool _disposed;

    private ResponseStore(string path, StoreWriter? writer) => (FilePath, _writer) = (path, writer);

    /// <summary>The full path of the file.</summary>
    public string FilePath { get; }

    /// <summary>Whether the store was opened for reading only.</summary>
    public bool IsReadOnly => _writer is null;

    /// <summary>Transactions that this store has committed.</summary>
    public long Commits => _writer?.Commits ?? 0;

    /// <summary>Calls that are being made, by key: who asks the same meanwhile waits for them.</summary>
    internal ConcurrentDictionary<ResponseKey, TaskCompletionSource> Flights { get; } = new();

    /// <summary>Opens a store, or makes it with its folder.</summary>
    /// <param name="path">The file.</param>
    /// <param name="time">The clock; by default the system's.</param>
    /// <exception cref="InvalidDataException">The file is damaged, is something else, or is of a newer schema.</exception>
    /// <exception cref="IOException">It cannot be written, or another process holds it.</exception>
    public static ResponseStore Open(string path, TimeProvider? time = null)
    {
        path = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return new(path, new StoreWriter(path, time ?? TimeProvider.System));
    }

    /// <summary>Opens a store to look at it. Nothing in it changes; others may write meanwhile.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, is something else, or is of a newer schema.</exception>
    public static ResponseStore OpenReadOnly(string path)
    {
        path = Path.GetFullPath(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no run store at {path}. Name its file, or let a run make it.", path);
        var store = new ResponseStore(path, null);
        store._readers.Add(new Reader(StoreFile.OpenReader(path)));
        return store;
    }

    /// <summary>The response with this key, or null. A new object at every call.</summary>
    /// <exception cref="InvalidDataException">It is there and cannot be read.</exception>
    public ChatResponse? Find(ResponseKey key) => Look(key).Response;

    /// <summary>Whether there is a response with this key.</summary>
    public bool Contains(ResponseKey key) => With(reader => reader.Look(key)).Body is not null;

    /// <summary>What is known of a call, in one look: its response, or else whether it failed the last time.</summary>
    /// <exception cref="InvalidDataException">The response is there and cannot be read.</exception>
    internal (ChatResponse? Response, bool Failed) Look(ResponseKey key)
    {
        var (body, failed) = With(reader => reader.Look(key));
        return (body is null ? null : Read(key, body), failed);
    }

    /// <summary>How a call with this key failed the last time, or null when it never did or has succeeded since.</summary>
    public StoredFailure? FindFailure(ResponseKey key) => Failures("WHERE f.key = @key", ("@key", key.ToBytes())).FirstOrDefault();

    /// <summary>The calls that failed and have not succeeded since, by run, stage and prompt.</summary>
    /// <param name="run">The run that tried last, or null for all.</param>
    /// <param name="stage">The stage, or null for all.</param>
    public IEnumerable<StoredFailure> Failures(string? run = null, string? stage = null) =>
        Failures("WHERE (@run IS NULL OR run.name = @run) AND (@stage IS NULL OR f.stage = @stage) ORDER BY run.id, f.stage, f.prompt, f.sample", ("@run", run), ("@stage", stage));

    /// <summary>Keeps a response, notes what it is used for, and forgets that the call ever failed. When the task ends, all that is on disk.</summary>
    /// <returns>False when the key was there already: the earlier response stays.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <remarks>Takes no token: what is paid for is kept even when its caller is being cancelled.</remarks>
    public Task<bool> AddAsync(ReceivedResponse received)
    {
        ArgumentNullException.ThrowIfNull(received);
        // Prepared here, so that callers share the work and the writer only writes.
        var request = StoreStatements.Prepare(received.Request, received.Details.Spec);
        var body = StoreFunctions.WriteResponse(received.Response);
        return Writer.WriteAsync(statements => statements.AddResponse(received, request, body));
    }

    /// <summary>Notes a use of a response that is there. It is written with the next commit; <see cref="FlushAsync"/> waits for that.</summary>
    public ValueTask AddUseAsync(ResponseKey key, ResponseUse use) => Writer.PostAsync(statements => statements.AddUse(key, use));

    /// <summary>Notes that a call failed for good. When the task ends, that is on disk.</summary>
    /// <param name="key">The key that the response would have had.</param>
    /// <param name="use">What it would have been used for.</param>
    /// <param name="sampleIndex">The sample index of the call.</param>
    /// <param name="model">The model that was asked.</param>
    /// <param name="reason">What went wrong; made one line of at most 2,000 characters.</param>
    public Task AddFailureAsync(ResponseKey key, ResponseUse use, int sampleIndex, string model, string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        var line = string.Join(' ', reason.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return Writer.WriteAsync(statements => statements.AddFailure(key, use, sampleIndex, model, line.Length > 2000 ? line[..2000] : line));
    }

    /// <summary>Waits until everything that was handed in is on disk.</summary>
    public Task FlushAsync() => Writer.WriteAsync(_ => true);

    /// <summary>Writes what was handed in and closes the file.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        // The writer last: only who may write can tidy the file's log up when closing it.
        while (_readers.TryTake(out var reader)) reader.Dispose();
        _writer?.Dispose();
    }

    /// <summary>Runs something within the writer's next transaction.</summary>
    internal Task<bool> WriteAsync(Func<StoreStatements, bool> apply) => Writer.WriteAsync(apply);

    /// <summary>The rows of a query, one at a time; the reader is only good until the next.</summary>
    internal IEnumerable<SqliteDataReader> Rows(string sql, params (string Name, object? Value)[] parameters)
    {
        var connection = Rent();
        try
        {
            using var command = connection.Connection.CreateCommand();
            command.CommandText = sql;
            foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
            using var rows = StoreFile.Guard(FilePath, command.ExecuteReader);
            while (StoreFile.Guard(FilePath, rows.Read)) yield return rows;
        }
        finally
        {
            Return(connection);
        }
    }

    private StoreWriter Writer
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _writer ?? throw new InvalidOperationException($"{FilePath} was opened for reading only.");
        }
    }

    private IEnumerable<StoredFailure> Failures(string which, params (string Name, object? Value)[] parameters) =>
        Rows($"SELECT f.key, run.name, f.stage, f.prompt, f.sample, f.model, f.reason, f.attempts, f.first, f.last FROM failure f JOIN run ON run.id = f.run {which}", parameters)
            .Select(row => new StoredFailure(
                new(Convert.ToHexStringLower(row.GetFieldValue<byte[]>(0))), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt32(4), row.GetString(5), row.GetString(6), row.GetInt32(7),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(8)), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(9))));

    private ChatResponse Read(ResponseKey key, string body)
    {
        try
        {
            return StoreFunctions.ReadResponse(body);
        }
        catch (JsonException problem)
        {
            throw new InvalidDataException($"{FilePath}: response {key} is not valid ({problem.Message}). Restore the file from a copy, or delete that row to ask again.", problem);
        }
    }

    private T With<T>(Func<Reader, T> read)
    {
        var reader = Rent();
        try
        {
            return StoreFile.Guard(FilePath, () => read(reader));
        }
        finally
        {
            Return(reader);
        }
    }

    private Reader Rent()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _readers.TryTake(out var reader) ? reader : new Reader(StoreFile.OpenReader(FilePath));
    }

    private void Return(Reader reader)
    {
        _readers.Add(reader);
        if (_disposed && _readers.TryTake(out var late)) late.Dispose();
    }

    private sealed class Reader : IDisposable
    {
        private readonly SqliteCommand _look;
        private readonly SqliteParameter _key;

        public Reader(SqliteConnection connection)
        {
            Connection = connection;
            _look = connection.CreateCommand();
            _look.CommandText = "SELECT (SELECT body FROM response WHERE key = @key), EXISTS (SELECT 1 FROM failure WHERE key = @key)";
            _key = _look.Parameters.AddWithValue("@key", DBNull.Value);
        }

        public SqliteConnection Connection { get; }

        public (string? Body, bool Failed) Look(ResponseKey key)
        {
            _key.Value = key.ToBytes();
            using var row = _look.ExecuteReader();
            row.Read();
            return (row.IsDBNull(0) ? null : row.GetString(0), row.GetBoolean(1));
        }

        public void Dispose()
        {
            _look.Dispose();
            Connection.Dispose();
        }
    }
}
