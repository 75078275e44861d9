using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Deliberate.Runs.Store;
using Xunit;

namespace Deliberate.Tests.Runs.Store;

public class KillTests
{
    private const int Concurrency = 16, ResponsesAKill = 40;

    private static readonly string Host = typeof(KillTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "StoreHost").Value!;

    // DELIBERATE_KILLS=50 kills fifty times.
    private static int Kills => int.TryParse(Environment.GetEnvironmentVariable("DELIBERATE_KILLS"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 5;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Starts a real process on the store and kills it once it has acknowledged this many responses; null lets it finish.
    private static async Task<List<string>> RunAsync(string path, int prompts, int? killAfter)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet") { RedirectStandardOutput = true };
        foreach (var argument in (string[])[Host, path, "run", $"{prompts}", $"{Concurrency}"]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var lines = new List<string>();
        try
        {
            var acknowledged = 0;
            while (await process.StandardOutput.ReadLineAsync(Token) is { } line)
            {
                lines.Add(line);
                // On Unix this is kill -9. What it wrote before is still in the pipe and is read to its end.
                if (line.StartsWith("ack ", StringComparison.Ordinal) && ++acknowledged == killAfter) process.Kill();
            }
        }
        finally
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        return lines;
    }

    private static ResponseKey KeyOf(int number) => CanonicalRequest.Of([new(Microsoft.Extensions.AI.ChatRole.User, number.ToString(CultureInfo.InvariantCulture))]).Key("host-1");

    private static int Number(string line) => int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_killed_process_loses_nothing_that_it_acknowledged_and_its_successors_repeat_nothing()
    {
        using var folder = new TemporaryFolder();
        var path = folder["store.db"];
        var prompts = (Kills + 2) * ResponsesAKill;
        var random = new Random(7);
        var acknowledged = new Dictionary<int, string>();
        var stored = new HashSet<int>();
        for (var round = 0; round <= Kills; round++)
        {
            var lines = await RunAsync(path, prompts, round == Kills ? null : 1 + random.Next(ResponsesAKill * (round + 1)));
            Assert.Equal(round == Kills, lines.Contains("done"));

            // Nothing that was on disk when the last process died was asked again.
            var called = lines.Where(line => line.StartsWith("call ", StringComparison.Ordinal)).Select(Number).ToArray();
            Assert.All(called, number => Assert.DoesNotContain(number, stored));
            Assert.Equal(called.Length, called.Distinct().Count());
            foreach (var line in lines.Where(line => line.StartsWith("ack ", StringComparison.Ordinal) && line.Split(' ').Length == 3))
            {
                // A response stays the same from its first acknowledgement on.
                var text = line.Split(' ')[2];
                if (!acknowledged.TryAdd(Number(line), text) && text.Length == acknowledged[Number(line)].Length) Assert.Equal(acknowledged[Number(line)], text);
            }

            using var store = ResponseStore.OpenReadOnly(path);
            Assert.Equal("ok", store.Rows("PRAGMA integrity_check").Select(row => row.GetString(0)).Single());
            foreach (var (number, text) in acknowledged)
            {
                var kept = store.Find(KeyOf(number));
                Assert.NotNull(kept);
                Assert.StartsWith(text, kept.Text, StringComparison.Ordinal);
            }

            stored = [.. Enumerable.Range(0, prompts).Where(number => store.Contains(KeyOf(number)))];
            var summary = StoreSummary.Of(store);
            Assert.Equal(stored.Count, summary.Responses);
            if (round == Kills) Assert.Equal((prompts, prompts), ((int)summary.Responses, acknowledged.Count));
        }
    }
}
