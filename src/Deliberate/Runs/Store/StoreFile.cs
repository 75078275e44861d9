using Microsoft.Data.Sqlite;

namespace Deliberate.Runs.Store;

/// <summary>The store's file: its schema, how it is opened, and what its errors mean.</summary>
internal static class StoreFile
{
    /// <summary>The version of the schema below, kept as the file's user_version.</summary>
    public const int Version = 1;

    // "DLBR": tells the file from other SQLite databases.
    private const int ApplicationId = 0x444C4252;

    private const int BusySeconds = 30;

    // A spec's text is cut out of the requests that hold it, at spec_at, and kept once.
    private const string Schema = """
        CREATE TABLE run (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL) STRICT;
        CREATE TABLE spec (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, category TEXT, text TEXT NOT NULL) STRICT;
        CREATE TABLE request (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, spec INTEGER REFERENCES spec (id), spec_at INTEGER, body TEXT NOT NULL) STRICT;
        CREATE TABLE response (
            id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, request INTEGER NOT NULL REFERENCES request (id), paid_by INTEGER REFERENCES run (id),
            model TEXT NOT NULL, template TEXT, seed INTEGER, sample INTEGER NOT NULL, body TEXT NOT NULL, finish TEXT,
            tokens_in INTEGER, tokens_out INTEGER, cost_nano INTEGER, created INTEGER NOT NULL) STRICT;
        CREATE TABLE use (
            run INTEGER NOT NULL REFERENCES run (id), response INTEGER NOT NULL REFERENCES response (id), stage TEXT NOT NULL, prompt TEXT NOT NULL,
            policy TEXT, category TEXT, PRIMARY KEY (run, response, stage, prompt)) STRICT, WITHOUT ROWID;
        CREATE TABLE failure (
            key BLOB PRIMARY KEY, run INTEGER NOT NULL REFERENCES run (id), stage TEXT NOT NULL, prompt TEXT NOT NULL, sample INTEGER NOT NULL,
            model TEXT NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """;

    /// <summary>Opens the file for writing with every commit flushed to disk, and makes it when it is not there.</summary>
    /// <exception cref="InvalidDataException">It is damaged, something else, or of a newer schema.</exception>
    public static SqliteConnection OpenWriter(string path) => Opened(path, SqliteOpenMode.ReadWriteCreate, connection =>
    {
        if (!IsStore(connection, path))
        {
            connection.Execute("PRAGMA journal_mode = WAL");
            connection.Execute("BEGIN IMMEDIATE");
            // Another process may have been first.
            if (!IsStore(connection, path)) connection.Execute($"{Schema} PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version};");
            connection.Execute("COMMIT");
        }

        connection.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -16384");
    });

    /// <summary>Opens the file for reading; it stays as it is.</summary>
    /// <exception cref="InvalidDataException">It is damaged, something else, empty, or of a newer schema.</exception>
    public static SqliteConnection OpenReader(string path) => Opened(path, SqliteOpenMode.ReadOnly, connection =>
    {
        if (!IsStore(connection, path)) throw new InvalidDataException($"{path}: not a run store, but an empty database. Name the file of a run store.");
        connection.Execute("PRAGMA cache_size = -512");
        StoreFunctions.Add(connection);
    });

    /// <summary>Does something with the file and says its errors in plain words.</summary>
    public static T Guard<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (SqliteException problem)
        {
            throw Explain(path, problem);
        }
    }

    /// <summary>The error in plain words, with what to do.</summary>
    public static Exception Explain(string path, SqliteException problem) => problem.SqliteErrorCode switch
    {
        SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB => new InvalidDataException(
            $"{path}: damaged, or no run store ({problem.Message}) Restore it from a copy, save what is left with 'sqlite3 {Path.GetFileName(path)} .recover', or move it away to begin anew.", problem),
        SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED => new IOException(
            $"{path}: another process has held the run store for {BusySeconds} s. Wait for it to end, or name another store.", problem),
        SQLitePCL.raw.SQLITE_FULL => new IOException($"{path}: the disk is full. Make room and run the same command again: what was kept stays.", problem),
        SQLitePCL.raw.SQLITE_READONLY or SQLitePCL.raw.SQLITE_CANTOPEN or SQLitePCL.raw.SQLITE_PERM => new IOException(
            $"{path}: cannot be opened or written ({problem.Message}) Check that the file and its folder may be written.", problem),
        _ => new IOException($"{path}: {problem.Message} Run the same command again: what was kept stays.", problem),
    };

    /// <summary>Runs statements that give nothing back.</summary>
    public static void Execute(this SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The one whole number that a statement gives.</summary>
    public static long Number(this SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private static SqliteConnection Opened(string path, SqliteOpenMode mode, Action<SqliteConnection> prepare)
    {
        // Without pooling: a pool keeps files open after they are closed.
        var settings = new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, ForeignKeys = false, DefaultTimeout = BusySeconds };
        var connection = new SqliteConnection(settings.ToString());
        try
        {
            connection.Open();
            connection.Execute($"PRAGMA busy_timeout = {BusySeconds * 1000}");
            prepare(connection);
            return connection;
        }
        catch (SqliteException problem)
        {
            connection.Dispose();
            throw Explain(path, problem);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // False for a new, empty database.
    private static bool IsStore(SqliteConnection connection, string path)
    {
        var (version, id) = (connection.Number("PRAGMA user_version"), connection.Number("PRAGMA application_id"));
        if (version == 0 && id == 0 && connection.Number("SELECT count(*) FROM sqlite_schema") == 0) return false;
        if (id != ApplicationId) throw new InvalidDataException($"{path}: a database, but not a run store. Name another file.");
        if (version > Version) throw new InvalidDataException($"{path}: written by a newer Deliberate (schema {version}; this one knows {Version}). Update Deliberate, or name another store.");
        return true;
    }
}
