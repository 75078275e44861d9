using System.Text.Json;
using Microsoft.Data.Sqlite;
using Parquet;
using Parquet.Schema;

namespace Deliberate.Runs.Store;

/// <summary>
/// Writes a table of a store to a file, row by row: memory does not grow with the table. The file is there whole or not at all. Tables:
/// <c>completions</c> (one row a use, with thought and answer), <c>responses</c>, <c>requests</c>, <c>failures</c>, <c>runs</c>.
/// </summary>
public static class StoreExport
{
    // A group of rows is held in memory until it is written.
    private const int GroupRows = 10_000, GroupCharacters = 16 << 20;

    /// <summary>Names of the tables.</summary>
    public static IReadOnlyList<string> Tables { get; } = [.. StoreTable.ByName.Keys];

    /// <summary>Writes a table to a file: Parquet when its name ends in ".parquet", JSON lines else.</summary>
    /// <param name="store">The store.</param>
    /// <param name="table">One of <see cref="Tables"/>.</param>
    /// <param name="path">The file; replaced when it is there.</param>
    /// <param name="run">Only what this run uses; null for all.</param>
    /// <param name="cancellationToken">Stops the work; no file is left then.</param>
    /// <returns>Number of rows.</returns>
    /// <exception cref="ArgumentException">There is no such table or run.</exception>
    public static async Task<long> WriteAsync(ResponseStore store, string table, string path, string? run = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(path);
        if (!StoreTable.ByName.TryGetValue(table, out var content)) throw new ArgumentException($"'{table}' is no table of a run store; known are {string.Join(", ", Tables)}.");
        if (run is not null) StoreSummary.Of(store).Find(run);
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        var temporary = path + ".tmp";
        try
        {
            long rows;
            await using (var file = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                var source = store.Rows(content.Query(run is not null), run is null ? [] : [("@run", run)]);
                rows = path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase)
                    ? await WriteParquetAsync(content, source, file, cancellationToken).ConfigureAwait(false)
                    : WriteLines(content, source, file, cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            return rows;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static long WriteLines(StoreTable table, IEnumerable<SqliteDataReader> source, Stream file, CancellationToken cancellationToken)
    {
        var rows = 0L;
        using var writer = new Utf8JsonWriter(file, new JsonWriterOptions { Encoder = CanonicalJson.Encoder });
        foreach (var row in source)
        {
            cancellationToken.ThrowIfCancellationRequested();
            writer.WriteStartObject();
            for (var i = 0; i < table.Columns.Count; i++) Write(writer, table.Columns[i], row, i);
            writer.WriteEndObject();
            writer.Flush();
            file.WriteByte((byte)'\n');
            writer.Reset();
            rows++;
        }

        return rows;
    }

    private static void Write(Utf8JsonWriter writer, StoreColumn column, SqliteDataReader row, int index)
    {
        writer.WritePropertyName(column.Name);
        if (row.IsDBNull(index)) writer.WriteNullValue();
        else if (column.Kind == ColumnKind.Integer) writer.WriteNumberValue(row.GetInt64(index));
        else if (column.Kind == ColumnKind.Real) writer.WriteNumberValue(row.GetDouble(index));
        else if (column.Kind == ColumnKind.Json) writer.WriteRawValue(row.GetString(index));
        else writer.WriteStringValue(row.GetString(index));
    }

    private static async Task<long> WriteParquetAsync(StoreTable table, IEnumerable<SqliteDataReader> source, Stream file, CancellationToken cancellationToken)
    {
        var fields = table.Columns.Select(Field).ToArray();
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd };
        var writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), file, options, cancellationToken: cancellationToken).ConfigureAwait(false);
        await using (writer.ConfigureAwait(false))
        {
            var group = new RowGroup(table);
            var rows = 0L;
            foreach (var row in source)
            {
                cancellationToken.ThrowIfCancellationRequested();
                group.Add(row);
                rows++;
                if (group.Rows >= GroupRows || group.Characters >= GroupCharacters) await group.WriteAsync(writer, fields, cancellationToken).ConfigureAwait(false);
            }

            if (group.Rows > 0) await group.WriteAsync(writer, fields, cancellationToken).ConfigureAwait(false);
            return rows;
        }
    }

    private static DataField Field(StoreColumn column) => column.Kind switch
    {
        ColumnKind.Integer => new DataField<long?>(column.Name),
        ColumnKind.Real => new DataField<double?>(column.Name),
        _ => new DataField<string>(column.Name),
    };

    // Rows turned into columns.
    private sealed class RowGroup(StoreTable table)
    {
        private readonly List<string?>[] _texts = [.. table.Columns.Select(_ => new List<string?>())];
        private readonly List<long?>[] _integers = [.. table.Columns.Select(_ => new List<long?>())];
        private readonly List<double?>[] _reals = [.. table.Columns.Select(_ => new List<double?>())];

        public int Rows { get; private set; }

        public long Characters { get; private set; }

        public void Add(SqliteDataReader row)
        {
            for (var i = 0; i < table.Columns.Count; i++)
            {
                var absent = row.IsDBNull(i);
                if (table.Columns[i].Kind == ColumnKind.Integer) _integers[i].Add(absent ? null : row.GetInt64(i));
                else if (table.Columns[i].Kind == ColumnKind.Real) _reals[i].Add(absent ? null : row.GetDouble(i));
                else
                {
                    var text = absent ? null : row.GetString(i);
                    _texts[i].Add(text);
                    Characters += text?.Length ?? 0;
                }
            }

            Rows++;
        }

        public async Task WriteAsync(ParquetWriter writer, DataField[] fields, CancellationToken cancellationToken)
        {
            using (var group = writer.CreateRowGroup())
            {
                for (var i = 0; i < fields.Length; i++)
                {
                    if (table.Columns[i].Kind == ColumnKind.Integer) await group.WriteAsync<long>(fields[i], _integers[i].ToArray(), cancellationToken: cancellationToken).ConfigureAwait(false);
                    else if (table.Columns[i].Kind == ColumnKind.Real) await group.WriteAsync<double>(fields[i], _reals[i].ToArray(), cancellationToken: cancellationToken).ConfigureAwait(false);
                    else await group.WriteAsync(fields[i], _texts[i]).ConfigureAwait(false);
                    _integers[i].Clear();
                    _reals[i].Clear();
                    _texts[i].Clear();
                }
            }

            (Rows, Characters) = (0, 0);
        }
    }
}
