using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Deliberate.Auditing;
using Deliberate.Tests.Runs;
using Xunit;

namespace Deliberate.Tests.Auditing;

public class AuditKillTests
{
    private const int Concurrency = 32, RecordsAKill = 400;

    private static readonly string Host = typeof(AuditKillTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "StoreHost").Value!;

    // DELIBERATE_KILLS=50 kills fifty times.
    private static int Kills => int.TryParse(Environment.GetEnvironmentVariable("DELIBERATE_KILLS"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 5;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_process_leaves_a_chain_that_holds_with_every_record_that_it_acknowledged()
    {
        using var folder = new TemporaryFolder();
        var log = folder["log"];
        var random = new Random(11);
        var acknowledged = new HashSet<string>();
        for (var round = 0; round < Kills; round++)
        {
            var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet") { RedirectStandardOutput = true };
            foreach (var argument in (string[])[Host, "audit", log, "1000000", $"{Concurrency}"]) start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            var (count, killAfter) = (0, 1 + random.Next(RecordsAKill));
            try
            {
                while (await process.StandardOutput.ReadLineAsync(Token) is { } line)
                {
                    // A kill may cut the last line.
                    if (line.StartsWith("ack ", StringComparison.Ordinal) && line.Contains('-', StringComparison.Ordinal) && !line.EndsWith('-')) acknowledged.Add(line["ack ".Length..]);
                    if (++count == killAfter) process.Kill();
                }
            }
            finally
            {
                if (!process.HasExited) process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }

            Assert.True(count >= killAfter);
            var found = AuditVerification.Of(log);
            Assert.True(found.Holds, found.Problem);
            await using var reopened = AuditLog.Open(log);
            var kept = reopened.Read(0, int.MaxValue).Select(entry => entry.Exchange.Id).ToHashSet();
            Assert.All(acknowledged, id => Assert.Contains(id, kept));
        }

        Assert.False(AuditVerification.Of(log).Torn);
    }
}
