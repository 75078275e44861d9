using System.Globalization;
using Deliberate.Auditing;
using Deliberate.Conversations;

namespace Deliberate.StoreHost;

/// <summary>Appends exchanges to an audit log, many at a time, and tells of each that is on disk.</summary>
internal static class AuditWork
{
    public static async Task RunAsync(string folder, int count, int concurrency)
    {
        // Small segments, so that many are begun.
        await using var log = AuditLog.Open(folder, new() { SegmentBytes = 20_000 });
        var output = Console.Out;
        var first = log.Last;
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = concurrency }, async (number, _) =>
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"{first}-{number}");
            await log.AppendAsync(new()
            {
                Id = id,
                Begun = DateTimeOffset.UtcNow,
                Ended = DateTimeOffset.UtcNow,
                Model = "m",
                Outcome = AuditOutcome.Answered,
                Conversation = [new(Role.User, $"question {id}")],
                Thinking = new string('t', Random.Shared.Next(2000)),
                Answer = $"answer {id}",
            });
            lock (output) output.Write($"ack {id}\n");
        });
        lock (output) output.Write("done\n");
    }
}
