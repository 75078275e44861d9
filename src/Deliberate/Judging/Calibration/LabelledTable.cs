using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Deliberate.Judging.Calibration;

/// <summary>Rows of a CSV file (RFC 4180: quoted line ends, a byte order mark), by the names in its header.</summary>
internal static class LabelledTable
{
    private const int LongestCell = 1 << 20;

    /// <summary>Reads a file; rows without any cell are skipped.</summary>
    /// <param name="path">The file.</param>
    /// <param name="headerRow">Which row names the columns, from 1; rows above it are notices.</param>
    /// <param name="columns">The columns that are wanted, whatever their case.</param>
    /// <exception cref="InvalidDataException">A column is missing or a row is no CSV; the message names file, row and column.</exception>
    public static IReadOnlyList<string[]> Read(string path, int headerRow, params string[] columns)
    {
        using var text = new StreamReader(path);
        using var parser = new CsvParser(text, new CsvConfiguration(CultureInfo.InvariantCulture) { HasHeaderRecord = false, MaxFieldSize = LongestCell });
        var rows = new List<string[]>();
        int[]? places = null;
        for (var row = 1; Next(parser, path, row) is { } fields; row++)
        {
            if (row < headerRow) continue;
            if (places is null)
            {
                places = [.. columns.Select(column => Array.FindIndex(fields, field => field.Trim().Equals(column, StringComparison.OrdinalIgnoreCase)))];
                if (Array.IndexOf(places, -1) is var missing and >= 0) throw new InvalidDataException($"{path}: row {row} names no column '{columns[missing]}'.");
                continue;
            }

            var last = Array.IndexOf(places, places.Max());
            if (fields.Length <= places[last]) throw new InvalidDataException($"{path}: row {row} has {fields.Length} fields; column '{columns[last]}' is field {places[last] + 1}.");
            rows.Add([.. places.Select(place => fields[place])]);
        }

        return rows;
    }

    private static string[]? Next(CsvParser parser, string path, int row)
    {
        try
        {
            // The parser looks at quotes when the cells are asked for.
            return parser.Read() ? parser.Record : null;
        }
        catch (Exception problem) when (problem is BadDataException or MaxFieldSizeException)
        {
            throw new InvalidDataException($"{path}: row {row} is no valid CSV: its quotes do not match, or a cell is longer than {LongestCell} characters.", problem);
        }
    }
}
