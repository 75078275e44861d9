using System.Globalization;

namespace Deliberate.Auditing;

/// <summary>The files of a log: <c>audit-NUMBER.jsonl</c>, with the number of their first record.</summary>
internal static class AuditSegments
{
    private const string Prefix = "audit-", Extension = ".jsonl";

    /// <summary>The segments in the order of their records.</summary>
    public static IReadOnlyList<(string Path, long First)> In(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, $"{Prefix}*{Extension}")
            .Select(path => (Path: path, First: long.TryParse(Path.GetFileNameWithoutExtension(path)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var first) ? first : 0))
            .Where(segment => segment.First > 0)
            .OrderBy(segment => segment.First),
    ];

    /// <summary>The path of the segment that begins with this record.</summary>
    public static string PathOf(string folder, long first) => Path.Combine(folder, $"{Prefix}{first.ToString("D12", CultureInfo.InvariantCulture)}{Extension}");

    /// <summary>The whole lines of a file with the places where they end. A last line without its end is left out.</summary>
    /// <param name="path">The file.</param>
    /// <param name="from">Where to begin: at 0, or where a line ends.</param>
    public static IEnumerable<(ReadOnlyMemory<byte> Line, long End)> Lines(string path, long from = 0)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        file.Position = from;
        var buffer = new byte[1 << 16];
        var (kept, end) = (0, from);
        while (true)
        {
            if (kept == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            var read = file.Read(buffer, kept, buffer.Length - kept);
            if (read == 0) yield break;
            var (start, filled) = (0, kept + read);
            while (Array.IndexOf(buffer, (byte)'\n', start, filled - start) is var at and >= 0)
            {
                end += at + 1 - start;
                // A copy: records keep what they are read from.
                yield return (buffer.AsSpan(start, at - start).ToArray(), end);
                start = at + 1;
            }

            kept = filled - start;
            Buffer.BlockCopy(buffer, start, buffer, 0, kept);
        }
    }
}
