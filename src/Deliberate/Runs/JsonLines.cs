using System.Text;
using System.Text.Json;

namespace Deliberate.Runs;

/// <summary>Files of one JSON object a line, in UTF-8.</summary>
public static class JsonLines
{
    /// <summary>Writes a whole file at once.</summary>
    public static void Write<T>(string path, IEnumerable<T> items) => AtomicFile.Write(path, stream =>
    {
        foreach (var item in items) stream.Write(Line(item));
    });

    /// <summary>Writes a file as its items come. It is there when the last has come, and not before.</summary>
    public static async Task WriteAsync<T>(string path, IAsyncEnumerable<T> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        var temporary = path + ".tmp";
        var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16);
        await using (stream.ConfigureAwait(false))
        {
            await foreach (var item in items.WithCancellation(cancellationToken).ConfigureAwait(false)) stream.Write(Line(item));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Adds a line to a file that is being written.</summary>
    public static void Append<T>(Stream stream, T item)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Line(item));
    }

    /// <summary>Reads a whole file; empty lines are skipped.</summary>
    /// <exception cref="InvalidDataException">A line is not a <typeparamref name="T"/>; the message names file and line.</exception>
    public static IReadOnlyList<T> Read<T>(string path) => [.. Stream<T>(path)];

    /// <summary>Reads a file line by line, as it is asked for; empty lines are skipped.</summary>
    /// <exception cref="InvalidDataException">A line is not a <typeparamref name="T"/>; the message names file and line.</exception>
    public static IEnumerable<T> Stream<T>(string path)
    {
        var number = 0;
        foreach (var line in File.ReadLines(path, Encoding.UTF8))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            T item;
            try
            {
                item = Parse<T>(Encoding.UTF8.GetBytes(line));
            }
            catch (JsonException problem)
            {
                throw Invalid(path, number, problem);
            }

            yield return item;
        }
    }

    /// <summary>One object and its line end, in UTF-8.</summary>
    internal static byte[] Line<T>(T item) => [.. JsonSerializer.SerializeToUtf8Bytes(item, RunJson.Options), (byte)'\n'];

    /// <summary>Reads what a crash left of a file: a last line that is incomplete is left out, and <paramref name="length"/> is where the whole ones end.</summary>
    internal static IReadOnlyList<T> ReadWhole<T>(string path, out long length)
    {
        length = 0;
        var items = new List<T>();
        if (!File.Exists(path)) return items;
        ReadOnlySpan<byte> rest = File.ReadAllBytes(path);
        for (var number = 1; rest.IndexOf((byte)'\n') is var end and >= 0; number++, rest = rest[(end + 1)..])
        {
            try
            {
                if (end > 0) items.Add(Parse<T>(rest[..end]));
            }
            catch (JsonException) when (end == rest.Length - 1)
            {
                // The last line: what a disk that lost power may hold.
                break;
            }
            catch (JsonException problem)
            {
                throw Invalid(path, number, problem);
            }

            length += end + 1;
        }

        return items;
    }

    private static T Parse<T>(ReadOnlySpan<byte> line) => JsonSerializer.Deserialize<T>(line, RunJson.Options) ?? throw new JsonException("The line is null.");

    private static InvalidDataException Invalid(string path, int number, JsonException problem) =>
        new($"{path}:{number}: not a valid line ({problem.Message.Split(" Path:")[0]}). Remove the line or restore the file.", problem);
}
