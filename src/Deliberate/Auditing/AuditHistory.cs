namespace Deliberate.Auditing;

/// <summary>
/// Reads a log newest first, page by page, without holding it: another process may be writing it. Of each segment that a page comes to, the first look reads the
/// heads of its records and remembers 32 bytes of each; what is added is read when it is there. Pages then read no more than the records that they show. Thread-safe.
/// </summary>
/// <remarks>Without a filter the newest page reads the newest segment alone. Redactions and deletions are no items of a list.</remarks>
public sealed class AuditHistory
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, AuditSegmentIndex> _segments = [];
    private readonly AuditNames _callers = new(), _models = new();
    private readonly long _mostBytes;

    /// <summary>Reads the log of a folder, which may be empty or not be there yet.</summary>
    /// <param name="folder">The log's folder.</param>
    /// <param name="mostBytes">So much is read for one page at most, but for the rest of a segment; what has been read for one is not read again for the next.</param>
    public AuditHistory(string folder, long mostBytes = 1L << 30)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        (Folder, _mostBytes) = (folder, mostBytes);
    }

    /// <summary>The log's folder.</summary>
    public string Folder { get; }

    /// <summary>Callers in the records that were looked at so far.</summary>
    public IReadOnlyList<string> Callers => Names(_callers);

    /// <summary>Models in the records that were looked at so far.</summary>
    public IReadOnlyList<string> Models => Names(_models);

    /// <summary>Exchanges with numbers below one, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="before">Only those with smaller numbers; null: the newest.</param>
    /// <param name="limit">At most so many.</param>
    public AuditListing Before(AuditFilter filter, long? before, int limit)
    {
        ArgumentNullException.ThrowIfNull(filter);
        lock (_gate)
        {
            var segments = Segments();
            var (first, last) = Range(segments);
            var top = Math.Min(before ?? long.MaxValue, last + 1);
            var (found, read, stopped) = (new List<long>(), 0L, (long?)null);
            for (var i = segments.Count - 1; i >= 0 && found.Count <= limit; i--)
            {
                var segment = segments[i];
                if (segment.First >= top) continue;
                if (read > 0 && read + segment.Unread > _mostBytes)
                {
                    stopped = segments[i + 1].First;
                    break;
                }

                read += segment.Unread;
                segment.Refresh(_callers, _models);
                for (var at = (int)Math.Min(top - 1 - segment.First, segment.Count - 1); at >= 0 && found.Count <= limit; at--)
                    if (Takes(filter, segment[at])) found.Add(segment.First + at);
            }

            // One more than is shown tells whether there are older ones.
            var older = found.Count > limit ? found[limit - 1] : stopped;
            return new(Records(segments, found.Take(limit)), first, last, older, top > last ? null : top - 1, stopped is not null && found.Count < limit);
        }
    }

    /// <summary>Exchanges with numbers above one, those next to it, newest first. Where there are fewer than asked for, the newest of all.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="after">Only those with greater numbers.</param>
    /// <param name="limit">At most so many.</param>
    public AuditListing After(AuditFilter filter, long after, int limit)
    {
        ArgumentNullException.ThrowIfNull(filter);
        lock (_gate)
        {
            var segments = Segments();
            var (first, last) = Range(segments);
            if (after >= last) return Before(filter, null, limit);
            var (found, read, stopped) = (new List<long>(), 0L, (long?)null);
            for (var i = 0; i < segments.Count && found.Count <= limit; i++)
            {
                var segment = segments[i];
                if (i + 1 < segments.Count && segments[i + 1].First <= after + 1) continue;
                if (read > 0 && read + segment.Unread > _mostBytes)
                {
                    stopped = segment.First - 1;
                    break;
                }

                read += segment.Unread;
                segment.Refresh(_callers, _models);
                for (var at = (int)Math.Max(after + 1 - segment.First, 0); at < segment.Count && found.Count <= limit; at++)
                    if (Takes(filter, segment[at])) found.Add(segment.First + at);
            }

            if (found.Count <= limit && stopped is null) return Before(filter, null, limit);
            var newer = found.Count > limit ? found[limit - 1] : stopped;
            return new(Records(segments, found.Take(limit).Reverse()), first, last, after + 1 <= first ? null : after + 1, newer, stopped is not null && found.Count < limit);
        }
    }

    /// <summary>The exchange of this number, or a record in its place that cannot be read; null when the log has none.</summary>
    public AuditListed? Get(long number)
    {
        lock (_gate)
        {
            var segments = Segments();
            if (segments.LastOrDefault(segment => segment.First <= number) is not { } segment) return null;
            segment.Refresh(_callers, _models);
            return number - segment.First < segment.Count && segment[(int)(number - segment.First)].Kind != AuditKind.Cleaning ? Record(segments, number) : null;
        }
    }

    /// <summary>The exchange of this name, or null. Takes time in proportion to the log's length.</summary>
    /// <exception cref="InvalidDataException">A record is broken.</exception>
    public AuditEntry? Find(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return Directory.Exists(Folder) ? AuditReader.Find(Folder, id, long.MaxValue) : null;
    }

    // What cannot be read may be anything, and is not passed over.
    private bool Takes(AuditFilter filter, in AuditFacts facts) => facts.Kind == AuditKind.Unreadable || (facts.Kind == AuditKind.Exchange && filter.Takes(facts, _callers, _models));

    private List<AuditSegmentIndex> Segments()
    {
        var there = Directory.Exists(Folder) ? AuditSegments.In(Folder) : [];
        foreach (var gone in _segments.Keys.Except(there.Select(segment => segment.Path)).ToArray()) _segments.Remove(gone);
        List<AuditSegmentIndex> all = [];
        foreach (var (path, first) in there)
        {
            if (!_segments.TryGetValue(path, out var index)) _segments[path] = index = new(path, first);
            all.Add(index);
        }

        return all;
    }

    private (long First, long Last) Range(List<AuditSegmentIndex> segments)
    {
        if (segments.Count == 0) return (0, 0);
        segments[^1].Refresh(_callers, _models);
        var last = segments[^1].First + segments[^1].Count - 1;
        return last < segments[0].First ? (0, 0) : (segments[0].First, last);
    }

    private IReadOnlyList<AuditListed> Records(List<AuditSegmentIndex> segments, IEnumerable<long> numbers) =>
        [.. numbers.Select(number => Record(segments, number)).OfType<AuditListed>()];

    private AuditListed? Record(List<AuditSegmentIndex> segments, long number)
    {
        var segment = segments.Last(segment => segment.First <= number);
        for (var tries = 0; tries < 2; tries++)
        {
            if (number - segment.First < segment.Count && segment.Record((int)(number - segment.First)) is { } record) return record;
            segment.Forget();
            segment.Refresh(_callers, _models);
        }

        return number - segment.First < segment.Count ? new(number, null, "it does not have the number of its place") : null;
    }

    private IReadOnlyList<string> Names(AuditNames names)
    {
        lock (_gate) return [.. names.All.Order(StringComparer.Ordinal)];
    }
}
