using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using CsvHelper;
using CsvHelper.Configuration;

namespace Deliberate.Prompts;

/// <summary>
/// Rows of separated text by RFC 4180: cells may hold quoted line breaks. The header is the first of the file's first rows that names the
/// prompt's field, as some files begin with a notice.
/// </summary>
internal static class CsvRows
{
    private const int HeaderWithin = 5;

    /// <summary>Reads the rows below the header.</summary>
    public static async IAsyncEnumerable<PromptRow> ReadAsync(string path, Stream stream, string delimiter, PromptFileOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 16, leaveOpen: true);
        using var parser = new CsvParser(reader, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter,
            HasHeaderRecord = false,
            IgnoreBlankLines = false,
            MaxFieldSize = options.LongestRow,
        }, leaveOpen: true);
        string[]? header = null;
        var first = new List<string>();
        while (true)
        {
            var line = parser.RawRow + 1;
            cancellationToken.ThrowIfCancellationRequested();
            var more = false;
            try
            {
                more = await parser.ReadAsync().ConfigureAwait(false);
            }
            catch (DecoderFallbackException problem)
            {
                throw new InvalidDataException($"{path}:{line}: the file is not UTF-8 text from here on; save it as UTF-8", problem);
            }
            catch (MaxFieldSizeException problem)
            {
                throw new InvalidDataException($"{path}:{line}: a cell is longer than {options.LongestRow} characters; close the quotes of the row", problem);
            }
            catch (BadDataException problem)
            {
                throw new InvalidDataException($"{path}:{line}: the quotes of the row do not match; put cells that hold quotes, commas or line breaks in quotes and double the quotes in them", problem);
            }

            if (!more) break;
            if (Cells(parser, path, line) is not { } cells || cells is [""]) continue;
            if (header is null)
            {
                if (PromptShape.NamesPrompt(cells, options.Fields)) header = cells;
                else if (first.Count < HeaderWithin) first.Add($"'{string.Join(delimiter, cells).ReplaceLineEndings(" ")}'");
                else break;
            }
            else if (cells.Length != header.Length) yield return PromptRow.Broken($"{path}:{line}", line, $"has {cells.Length} cells where the header has {header.Length}; put cells that hold commas or line breaks in quotes");
            else yield return new($"{path}:{line}", line, Fields(header, cells), Table: true);
        }

        if (header is null)
            throw new InvalidDataException($"{path}: no row among the first names the prompt's field ({(first.Count == 0 ? "the file is empty" : $"the first is {Shortened(first[0])}")}); name it with a mapping, prompt=FIELD");
    }

    // The parser looks at quotes when a cell is asked for.
    private static string[]? Cells(CsvParser parser, string path, int line)
    {
        try
        {
            return parser.Record;
        }
        catch (BadDataException problem)
        {
            throw new InvalidDataException($"{path}:{line}: the quotes of the row do not match; put cells that hold quotes, commas or line breaks in quotes and double the quotes in them", problem);
        }
    }

    private static Dictionary<string, JsonElement> Fields(string[] header, string[] cells)
    {
        var fields = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < header.Length; i++)
            if (header[i].Trim() is { Length: > 0 } name) fields.TryAdd(name, JsonSerializer.SerializeToElement(cells[i]));
        return fields;
    }

    private static string Shortened(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
