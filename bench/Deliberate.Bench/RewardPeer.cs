using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Deliberate.Bench;

/// <summary>
/// The reward server beside one as trainers' examples write it (bench/peers/rewards.py: FastAPI, one process, a constant answer), both against an empty
/// handler of this web server: the most requests that wrk gets from each, in turns within one run, over the same number of connections. The reward server runs
/// twice, once with a larger nursery for .NET's collector.
/// </summary>
internal static class RewardPeer
{
    private const int Connections = 16, WarmUpSeconds = 20; // hot methods are compiled anew until then; trainers ask for hours

    // Where a virtual machine hides its caches, as many do, .NET's collector takes them for tiny ones and collects far too often.
    private const string NurseryVariable = "DOTNET_GCgen0size", LargerNursery = "0x1000000";

    private static long _next = 1;

    private sealed record Counted(long Requests, double Seconds, long Failed);

    public static async Task RunAsync(string peers, int rounds, int seconds)
    {
        var body = Path.Combine(Path.GetTempPath(), $"rewards-{Environment.ProcessId}.json");
        await File.WriteAllTextAsync(body, RewardBenchmark.Request().Body);
        var port = FreePort();
        using var peer = Start(Environment.GetEnvironmentVariable("PYTHON") ?? "python3", Path.Combine(peers, "rewards.py"), port.ToString(CultureInfo.InvariantCulture));
        using var server = Start(Environment.ProcessPath!, "reward-server");
        using var roomier = Start(new ProcessStartInfo(Environment.ProcessPath!, ["reward-server"]) { Environment = { [NurseryVariable] = LargerNursery } });
        try
        {
            var (address, roomy) = ((await server.StandardOutput.ReadLineAsync())!, (await roomier.StandardOutput.ReadLineAsync())!);
            var other = $"http://127.0.0.1:{port}";
            (string Name, string Url)[] all = [("empty handler", address + "/empty"), ("/reward", address + "/reward"), ("/reward, nursery of 16 MiB", roomy + "/reward"), ("FastAPI", other + "/reward")];
            Console.WriteLine($"wrk, one thread, {Connections} connections, {rounds} rounds of {seconds} s each; {await VersionAsync(other, peer)}; {Environment.ProcessorCount} cores");
            var rates = all.ToDictionary(one => one.Name, _ => new List<double>());
            var failed = 0L;
            for (var round = 0; round <= rounds; round++)
                foreach (var (name, url) in all)
                {
                    var counted = Measure(Path.Combine(peers, "rewards.lua"), url, body, round == 0 ? WarmUpSeconds : seconds);
                    failed += counted.Failed;
                    if (round > 0) rates[name].Add(counted.Requests / counted.Seconds); // the first round warms up
                }

            var empty = GenerationComparison.Median(rates["empty handler"]);
            foreach (var (name, of) in rates)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-26} {GenerationComparison.Median(of),7:N0} requests/s ({of.Min():N0} to {of.Max():N0}), {GenerationComparison.Median(of) / empty:P0} of the empty handler's"));
            var peerRate = GenerationComparison.Median(rates["FastAPI"]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  /reward / FastAPI = {GenerationComparison.Median(rates["/reward"]) / peerRate:F2} x, with the larger nursery {GenerationComparison.Median(rates[all[2].Name]) / peerRate:F2} x; {failed} requests without a good reply"));
        }
        finally
        {
            server.Kill();
            roomier.Kill();
            peer.Kill();
            File.Delete(body);
        }
    }

    private static Process Start(string program, params string[] arguments) => Start(new ProcessStartInfo(program, arguments));

    private static Process Start(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardInput) = (true, true);
        return Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} cannot be started.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<string> VersionAsync(string address, Process peer)
    {
        using var client = new HttpClient();
        for (var wait = 0; ; wait++)
        {
            if (peer.HasExited) throw new InvalidOperationException("the peer's server ended; its message stands above.");
            try
            {
                return JsonSerializer.Deserialize<string>(await client.GetStringAsync(new Uri(address + "/version")))!;
            }
            catch (HttpRequestException) when (wait < 100)
            {
                await Task.Delay(100);
            }
        }
    }

    // Numbers go on from call to call, so that no answer comes twice.
    private static Counted Measure(string script, string url, string body, int seconds)
    {
        using var wrk = Start("wrk", "-t1", $"-c{Connections}", $"-d{seconds}s", "-s", script, url, "--", body, _next.ToString(CultureInfo.InvariantCulture));
        var line = wrk.StandardOutput.ReadToEnd().Split('\n').LastOrDefault(line => line.StartsWith('{')) ?? throw new InvalidOperationException($"wrk told nothing of {url}.");
        wrk.WaitForExit();
        var counted = JsonSerializer.Deserialize<Counted>(line, JsonSerializerOptions.Web)!;
        _next += counted.Requests + 1_000;
        return counted;
    }
}
