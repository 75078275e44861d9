using Deliberate.Runs;

namespace Deliberate.Auditing;

/// <summary>
/// Takes out of a log what is older than its settings allow. A record says so first, so that a crash leaves content that is said to be gone, and never content
/// that is gone unsaid. Not thread-safe.
/// </summary>
internal sealed class AuditCleaning(string folder, AuditOptions options, TimeProvider time, AuditWriter writer)
{
    // All up to here had its parts taken out.
    private long _redacted;

    public void Run()
    {
        var now = time.GetUtcNow();
        if (options.KeepFor is { } keep) Drop(now - keep);
        if (options.RedactAfter is { } after && options.Redacted != AuditParts.None) Redact(now - after);
    }

    private void Drop(DateTimeOffset until)
    {
        var old = new List<string>();
        AuditRecord? last = null;
        foreach (var (path, _) in AuditSegments.In(folder).Where(segment => segment.Path != writer.Path))
        {
            var end = AuditRecord.Read(AuditSegments.Lines(path).Last().Line);
            if (end.At >= until) break;
            last = end;
            old.Add(path);
        }

        if (last is null) return;
        writer.Add(AuditRecord.Drop(last.Number, last.Hash));
        writer.Commit();
        foreach (var path in old) File.Delete(path);
    }

    private void Redact(DateTimeOffset until)
    {
        var (from, to, files) = (0L, 0L, new List<string>());
        foreach (var (path, _) in AuditSegments.In(folder))
        {
            var (any, late) = (false, false);
            foreach (var (line, _) in AuditSegments.Lines(path))
            {
                var record = AuditRecord.Read(line);
                if (late = record.At >= until) break;
                if (record.Number <= _redacted || record.Kind != "exchange" || (record.Present & options.Redacted) == AuditParts.None) continue;
                any = true;
                (from, to) = (from == 0 ? record.Number : from, record.Number);
            }

            if (any) files.Add(path);
            if (late) break;
        }

        if (to == 0) return;
        writer.Add(AuditRecord.Redaction(from, to, options.Redacted));
        writer.Commit();
        foreach (var path in files)
        {
            if (path == writer.Path) writer.Replace(() => Rewrite(path, to));
            else Rewrite(path, to);
        }

        _redacted = to;
    }

    private void Rewrite(string path, long to) => AtomicFile.Write(path, stream =>
    {
        foreach (var (line, _) in AuditSegments.Lines(path))
        {
            var record = AuditRecord.Read(line);
            if (record.Number <= to && record.Kind == "exchange")
            {
                stream.Write(record.Without(options.Redacted));
                continue;
            }

            stream.Write(line.Span);
            stream.WriteByte((byte)'\n');
        }
    });
}
