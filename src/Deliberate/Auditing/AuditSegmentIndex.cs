using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Deliberate.Auditing;

/// <summary>Where the records of one segment stand and what kind they are; follows the file while it grows. Not thread-safe.</summary>
/// <param name="path">The file.</param>
/// <param name="first">Number of its first record.</param>
internal sealed class AuditSegmentIndex(string path, long first)
{
    private readonly List<AuditFacts> _facts = [];
    private (DateTime Written, long Length) _state;

    public long First => first;

    /// <summary>How many records it has.</summary>
    public int Count => _facts.Count;

    public AuditFacts this[int index] => _facts[index];

    /// <summary>How many bytes <see cref="Refresh"/> would read.</summary>
    public long Unread
    {
        get
        {
            var state = State();
            return state == _state ? 0 : state.Length - End;
        }
    }

    private long End => _facts.Count == 0 ? 0 : _facts[^1].End;

    /// <summary>Reads what has come since the last time, or all when another file took its place, as redaction does.</summary>
    public void Refresh(AuditNames callers, AuditNames models)
    {
        var state = State();
        if (state == _state) return;
        try
        {
            if (!IsContinued()) _facts.Clear();
            foreach (var (line, end) in AuditSegments.Lines(path, End)) _facts.Add(AuditFacts.Read(line.Span, end, callers, models));
            _state = state;
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            // Old segments are deleted where the log's settings say so.
            Forget();
        }
    }

    /// <summary>A record as a list shows it; null when another file took the place of the one that the index knows.</summary>
    public AuditListed? Record(int index)
    {
        var number = first + index;
        byte[] line;
        try
        {
            line = LineOf(index);
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        if (!BeginsAs(line, number) && _facts[index].Kind != AuditKind.Unreadable) return null;
        try
        {
            var record = AuditRecord.Read(line);
            if (record.Number != number) return new(number, null, "it does not have the number of its place");
            return record.Entry() is { } entry ? new(number, entry, null) : new(number, null, "it is no exchange");
        }
        catch (InvalidDataException problem)
        {
            return new(number, null, problem.Message);
        }
        catch (JsonException)
        {
            return new(number, null, "it is no record");
        }
    }

    /// <summary>Forgets the file, so that it is read anew.</summary>
    public void Forget()
    {
        _facts.Clear();
        _state = default;
    }

    private (DateTime Written, long Length) State() => new FileInfo(path) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : default;

    // A file whose content was partly taken out is shorter, so that its last line does not stand where the longer file had it.
    private bool IsContinued() => _facts.Count == 0 || BeginsAs(LineOf(_facts.Count - 1), first + _facts.Count - 1);

    private static bool BeginsAs(ReadOnlySpan<byte> line, long number) => line.StartsWith(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"head\":{{\"n\":{number},")));

    // Empty when the file is shorter by now.
    private byte[] LineOf(int index)
    {
        var start = index == 0 ? 0 : _facts[index - 1].End;
        var line = new byte[_facts[index].End - start - 1];
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        for (var read = 0; read < line.Length;)
        {
            var more = RandomAccess.Read(file, line.AsSpan(read), start + read);
            if (more == 0) return [];
            read += more;
        }

        return line;
    }
}
