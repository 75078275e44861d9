using System.Text;

namespace Deliberate.Auditing;

/// <summary>Reads exchanges of a log that may be in use. Redactions and deletions do not show.</summary>
internal static class AuditReader
{
    /// <summary>Exchanges with numbers above one and up to another.</summary>
    public static IReadOnlyList<AuditEntry> Read(string folder, long after, int limit, long last)
    {
        var entries = new List<AuditEntry>();
        var segments = AuditSegments.In(folder);
        for (var i = 0; i < segments.Count; i++)
        {
            if (i + 1 < segments.Count && segments[i + 1].First <= after + 1) continue;
            // Lines are records in their order: those to be left out need not be read.
            var number = segments[i].First;
            foreach (var (line, _) in AuditSegments.Lines(segments[i].Path))
            {
                if (number > last || entries.Count >= limit) return entries;
                if (number++ > after && AuditRecord.Read(line).Entry() is { } entry) entries.Add(entry);
            }
        }

        return entries;
    }

    /// <summary>The newest exchange of a name.</summary>
    public static AuditEntry? Find(string folder, string id, long last)
    {
        var sought = Encoding.UTF8.GetBytes(id);
        AuditEntry? found = null;
        foreach (var (path, first) in AuditSegments.In(folder).Reverse())
        {
            var number = first;
            foreach (var (line, _) in AuditSegments.Lines(path))
            {
                if (number++ > last) break;
                if (line.Span.IndexOf(sought) >= 0 && AuditRecord.Read(line).Entry() is { } entry && entry.Exchange.Id == id) found = entry;
            }

            if (found is not null) return found;
        }

        return null;
    }
}
