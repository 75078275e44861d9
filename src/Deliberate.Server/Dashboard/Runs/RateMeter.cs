using System.Collections.Concurrent;

namespace Deliberate.Server.Dashboard.Runs;

/// <summary>Rates of what is being counted elsewhere, from how the counts grew between looks. Thread-safe.</summary>
internal sealed class RateMeter(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<string, List<(DateTimeOffset At, long Count)>> _seen = new(StringComparer.Ordinal);

    /// <summary>Notes a count and gives the items a second over the last half minute; null at the first look.</summary>
    public double? Rate(string what, long count)
    {
        var now = time.GetUtcNow();
        var seen = _seen.GetOrAdd(what, _ => []);
        lock (seen)
        {
            // What began anew has no rate yet.
            if (seen.Count > 0 && seen[^1].Count > count) seen.Clear();
            seen.RemoveAll(look => now - look.At > Window && look != seen[^1]);
            seen.Add((now, count));
            var (at, was) = seen[0];
            return now - at < TimeSpan.FromSeconds(0.5) ? null : (count - was) / (now - at).TotalSeconds;
        }
    }
}
