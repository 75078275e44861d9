using System.Collections;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Parquet;
using Parquet.Serialization;

namespace Deliberate.Prompts;

/// <summary>Rows of a Parquet file, one row group after the other.</summary>
internal static class ParquetRows
{
    private static readonly ParquetOptions Options = new() { TreatByteArrayAsString = true };

    /// <summary>Reads all rows.</summary>
    public static async IAsyncEnumerable<PromptRow> ReadAsync(string path, Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var number = 0;
        var groups = await Guarded(path, async () =>
        {
            await ParquetFooter.CheckAsync(stream, cancellationToken).ConfigureAwait(false);
            stream.Position = 0;
            var reader = await ParquetReader.CreateAsync(stream, Options, leaveStreamOpen: true, cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false)) return reader.RowGroupCount;
        }).ConfigureAwait(false);
        for (var group = 0; group < groups; group++)
        {
            var at = group;
            var rows = await Guarded(path, async () =>
            {
                stream.Position = 0;
                var read = await ParquetSerializer.DeserializeUntypedAsync(stream, Options, at, cancellationToken).ConfigureAwait(false);
                return read.Data.Select(Fields).ToArray();
            }).ConfigureAwait(false);
            foreach (var fields in rows)
            {
                number++;
                yield return new($"{path}: row {number}", number, fields, Table: true);
            }
        }
    }

    // Whatever the library makes of damaged bytes, the reader of the message needs to know the file.
    private static async Task<T> Guarded<T>(string path, Func<Task<T>> read)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            throw new InvalidDataException($"{path}: cannot be read as Parquet ({problem.Message.ReplaceLineEndings(" ")}); write it anew", problem);
        }
    }

    private static Dictionary<string, JsonElement> Fields(IDictionary<string, object> row)
    {
        var fields = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in row) fields[name] = JsonSerializer.SerializeToElement(Node(value));
        return fields;
    }

    private static JsonNode? Node(object? value) => value switch
    {
        null => null,
        string text => JsonValue.Create(text),
        ReadOnlyMemory<char> text => JsonValue.Create(text.ToString()),
        byte[] bytes => JsonValue.Create(Encoding.UTF8.GetString(bytes)),
        bool yes => JsonValue.Create(yes),
        IDictionary map => new JsonObject(map.Keys.Cast<object>().Select(key => KeyValuePair.Create(key.ToString()!, Node(map[key])))),
        IEnumerable list => new JsonArray([.. list.Cast<object?>().Select(Node)]),
        IFormattable other => JsonValue.Create(other.ToString(null, CultureInfo.InvariantCulture)),
        _ => JsonValue.Create(value.ToString()),
    };
}
