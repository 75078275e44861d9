using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Deliberate.Prompts;

/// <summary>Rows of JSON: an object a line, or the objects of one array.</summary>
internal static class JsonRows
{
    /// <summary>Reads an object a line; empty lines are passed over.</summary>
    public static async IAsyncEnumerable<PromptRow> ReadLinesAsync(string path, Stream stream, int longest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[Math.Min(longest, 1 << 16)];
        var (start, end, number, ended) = (0, 0, 0, false);
        while (true)
        {
            var at = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (at < 0 && ended) at = end - start;
            if (at >= 0 && (start < end || !ended))
            {
                number++;
                if (Line(path, number, buffer.AsSpan(start, at)) is { } row) yield return row;
                start = Math.Min(end, start + at + 1);
                continue;
            }

            if (ended) yield break;
            if (start > 0) buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
            if (end == buffer.Length)
            {
                if (buffer.Length >= longest) throw new InvalidDataException($"{path}:{number + 1}: the line is longer than {longest} bytes; write one object a line");
                Array.Resize(ref buffer, (int)Math.Min(longest, 2L * buffer.Length));
            }

            var read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken).ConfigureAwait(false);
            (end, ended) = (end + read, read == 0);
        }
    }

    /// <summary>Reads the objects of an array.</summary>
    public static async IAsyncEnumerable<PromptRow> ReadArrayAsync(string path, Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var items = JsonSerializer.DeserializeAsyncEnumerable<JsonElement>(stream, cancellationToken: cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (items.ConfigureAwait(false))
        {
            for (var number = 1; ; number++)
            {
                try
                {
                    if (!await items.MoveNextAsync().ConfigureAwait(false)) yield break;
                }
                catch (JsonException problem)
                {
                    throw new InvalidDataException($"{path}:{(problem.LineNumber ?? 0) + 1}: not valid JSON, after {number - 1} items ({Short(problem)}); restore the file", problem);
                }

                yield return Row($"{path}: item {number}", number, items.Current);
            }
        }
    }

    private static PromptRow? Line(string path, int number, ReadOnlySpan<byte> line)
    {
        if (number == 1 && line.StartsWith(Encoding.UTF8.Preamble)) line = line[3..];
        line = line.Trim(" \t\r"u8);
        if (line.Length == 0) return null;
        var place = $"{path}:{number}";
        try
        {
            return Row(place, number, JsonSerializer.Deserialize<JsonElement>(line));
        }
        catch (JsonException problem)
        {
            return PromptRow.Broken(place, number, $"not valid JSON ({Short(problem)}); write one whole object a line");
        }
    }

    private static PromptRow Row(string place, int number, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return PromptRow.Broken(place, number, $"is {PromptShape.Kind(value)} and no object; write {{\"prompt\": \"…\"}}");
        var fields = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
        try
        {
            foreach (var property in value.EnumerateObject()) fields[property.Name] = property.Value;
        }
        catch (InvalidOperationException)
        {
            return PromptRow.Broken(place, number, "a field's name is no valid text (half of a surrogate pair); rename it");
        }

        return new(place, number, fields, Table: false);
    }

    private static string Short(JsonException problem) => problem.Message.Split(" Path:")[0].Split(" LineNumber:")[0].ReplaceLineEndings(" ").TrimEnd('.');
}
