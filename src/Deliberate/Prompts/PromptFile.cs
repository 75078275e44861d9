using System.Runtime.CompilerServices;
using System.Text;

namespace Deliberate.Prompts;

/// <summary>
/// Reads prompts from files of others: JSON lines, a JSON array, CSV (RFC 4180), tab-separated text or Parquet. What a file is, is told by its
/// beginning and else by its name. Rows are read one after the other, and no more than one (of Parquet, one row group) is held.
/// Thread-safe: every reading has its own state.
/// </summary>
public static class PromptFile
{
    /// <summary>The prompts of a file, in its order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How to read it.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The file or a row cannot be read; the message names file, row and field and how to mend it, in one line.</exception>
    /// <exception cref="IOException">The file is not there or the disk fails.</exception>
    public static async IAsyncEnumerable<SourcePrompt> ReadAsync(string path, PromptFileOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        options ??= new();
        var shape = new PromptShape(path, options.Fields ?? new());
        var stream = Open(path);
        await using (stream.ConfigureAwait(false))
        {
            await foreach (var row in RowsAsync(path, stream, options, cancellationToken).ConfigureAwait(false))
            {
                if (shape.Read(row, out var problem) is { } prompt) yield return prompt;
                else if (options.Skipped is { } skipped) skipped(problem);
                else throw new InvalidDataException(problem);
            }
        }
    }

    private static FileStream Open(string path) => Directory.Exists(path)
        ? throw new InvalidDataException($"{path}: is a folder; name a file of prompts")
        : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous | FileOptions.SequentialScan);

    private static IAsyncEnumerable<PromptRow> RowsAsync(string path, FileStream stream, PromptFileOptions options, CancellationToken cancellationToken)
    {
        var start = new byte[4096];
        var length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        var head = start.AsSpan(0, length);
        if (head.StartsWith("PAR1"u8)) return ParquetRows.ReadAsync(path, stream, cancellationToken);
        switch (Path.GetExtension(path).ToUpperInvariant())
        {
            case ".CSV": return CsvRows.ReadAsync(path, stream, ",", options, cancellationToken);
            case ".TSV": return CsvRows.ReadAsync(path, stream, "\t", options, cancellationToken);
            case ".PARQUET": throw new InvalidDataException($"{path}: is no Parquet file, as it does not begin with 'PAR1'; write it anew or give it the right ending");
        }

        if (head.StartsWith(Encoding.UTF8.Preamble)) head = head[3..];
        head = head.TrimStart(" \t\r\n"u8);
        return head.Length == 0 ? throw new InvalidDataException($"{path}: holds no prompts; give a file of JSON lines, CSV or Parquet")
            : head[0] == '[' ? JsonRows.ReadArrayAsync(path, stream, cancellationToken)
            : head[0] == '{' ? JsonRows.ReadLinesAsync(path, stream, options.LongestRow, cancellationToken)
            : throw new InvalidDataException($"{path}: is neither JSON nor Parquet; give CSV the ending .csv, tab-separated text .tsv, and JSON lines a '{{' at the beginning of each line");
    }
}
