using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Deliberate.Conversations;
using Deliberate.Judging;
using Deliberate.Pipeline;
using Deliberate.Policies;
using Deliberate.Runs;
using Deliberate.Server.Access;
using Deliberate.Server.Rewards;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deliberate.Bench;

/// <summary>
/// The reward server in another process against a judge that answers at once, beside an empty handler of the same web server: latency under an open loop, in
/// slices that alternate so that a busy machine slows both, and the most requests of a closed loop. Every request has another answer, so the cache never helps.
/// </summary>
internal static class RewardBenchmark
{
    private const int Workers = 16;

    public static async Task RunAsync(int seconds, int rate)
    {
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["reward-server"]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        try
        {
            var address = new Uri((await server.StandardOutput.ReadLineAsync())!);
            var (prompt, thought, answer, body) = Request();
            using var reward = new RewardLoad(address, "/reward", body, Workers);
            using var empty = new RewardLoad(address, "/empty", body, Workers);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"requests of {body.Length / 1000.0:F1} kB with a prompt of {prompt.Length} characters, a thought of {thought.Length} and an answer of {answer.Length}; {Environment.ProcessorCount} cores shared with the load"));
            foreach (var load in (RewardLoad[])[empty, reward, empty, reward]) load.Closed(1);

            Console.WriteLine($"open loop, {rate} requests/s, {seconds} s each:");
            var slices = Math.Max(1, seconds / 5);
            var (nothing, ours, memory) = (new List<double>(), new List<double>(), new List<double>());
            var lost = 0;
            for (var slice = 0; slice < slices; slice++)
            {
                lost += Add(nothing, empty.Open(seconds / (double)slices, rate));
                lost += Add(ours, reward.Open(seconds / (double)slices, rate));
                server.Refresh();
                if (slice % Math.Max(1, slices / 10) == 0 || slice == slices - 1) memory.Add(server.WorkingSet64 / 1e6);
            }

            nothing.Sort();
            ours.Sort();
            Line("empty handler", nothing);
            Line("/reward", ours);
            var (middle, tail) = (At(ours, 0.5) - At(nothing, 0.5), At(ours, 0.99) - At(nothing, 0.99));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  overhead p50 {middle:F3} ms ({(middle <= 0.15 ? "reaches" : "misses")} 0.15), p99 {tail:F3} ms ({(tail < 5 ? "reaches" : "misses")} 5); {ours.Count:N0} replies, {lost} lost"));
            Console.WriteLine($"  working set over time {string.Join(", ", memory.Select(size => size.ToString("F0", CultureInfo.InvariantCulture)))} MB");

            var length = Math.Clamp(seconds / 12.0, 1, 5);
            var (most, base_) = (new List<Rate>(), new List<Rate>());
            for (var round = 0; round < 3; round++)
            {
                base_.Add(Measure(server, empty, length));
                most.Add(Measure(server, reward, length));
            }

            var (top, kestrel) = (Middle(most), Middle(base_));
            lost += empty.Failed + reward.Failed;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"closed loop, {Workers} connections, median of 3 slices of {length:F1} s each:"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  empty handler {kestrel.PerSecond:N0} requests/s, {kestrel.Processor * 1e6:F1} µs of the server's processor time each"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  /reward       {top.PerSecond:N0} requests/s, {top.Processor * 1e6:F1} µs; share {top.PerSecond / kestrel.PerSecond:P0} of the requests, {kestrel.Processor / top.Processor:P0} by processor time; {lost} lost in all"));
        }
        finally
        {
            server.Kill();
        }
    }

    /// <summary>The server: <c>/reward</c> with a constant judge, and <c>/empty</c>, which reads the body and answers as much.</summary>
    public static async Task ServeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        builder.Services.AddAuthorization(authorization => authorization.AddPolicy(Rights.Reward, policy => policy.RequireAssertion(_ => true)));
        builder.Services.AddRewards(new ConstantJudge(), Policy.Load(ShippedModel.Find(Path.Combine("policies", "example"))!));
        var app = builder.Build();
        app.MapRewards();
        var reply = Encoding.UTF8.GetBytes("""{"rewards":[1.0],"scores":[1.0],"extra_logs":{"judge_runs_scored":[1.0],"judge_runs_unscored":[0.0],"malformed":[0.0]}}""");
        app.MapPost("/empty", async context =>
        {
            while (await context.Request.BodyReader.ReadAsync() is var read)
            {
                context.Request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }

            context.Response.ContentType = "application/json";
            context.Response.ContentLength = reply.Length;
            await context.Response.Body.WriteAsync(reply);
        });
        await app.StartAsync();
        Console.WriteLine(app.Urls.First());
        await Task.Delay(Timeout.Infinite);
    }

    private static Rate Measure(Process server, RewardLoad load, double seconds)
    {
        server.Refresh();
        var before = server.TotalProcessorTime;
        var count = load.Closed(seconds);
        server.Refresh();
        return new(count / seconds, (server.TotalProcessorTime - before).TotalSeconds / Math.Max(1, count));
    }

    private static int Add(List<double> all, double[] latencies)
    {
        all.AddRange(latencies.Where(latency => !double.IsNaN(latency)));
        return latencies.Count(double.IsNaN);
    }

    private static void Line(string name, List<double> sorted) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"  {name,-13} p50 {At(sorted, 0.5):F3}, p99 {At(sorted, 0.99):F3}, p99.9 {At(sorted, 0.999):F3}, max {(sorted.Count == 0 ? double.NaN : sorted[^1]):F3} ms"));

    private static double At(List<double> sorted, double share) => sorted.Count == 0 ? double.NaN : sorted[(int)Math.Min(sorted.Count - 1, share * sorted.Count)];

    private static Rate Middle(List<Rate> rates) => rates.OrderBy(rate => rate.PerSecond).ElementAt(rates.Count / 2);

    /// <summary>The parts of a request and its body, with <see cref="RewardLoad.Number"/> in the answer.</summary>
    internal static (string Prompt, string Thought, string Answer, string Body) Request()
    {
        var (prompt, thought, answer) = ("<|im_start|>user\n" + Words(60) + "<|im_end|>\n<|im_start|>assistant\n", Words(120), Words(80));
        var query = $"{prompt}<think>\n{thought}\n</think>\n\n{RewardLoad.Number} {answer}<|im_end|>";
        return (prompt, thought, answer, JsonSerializer.Serialize(new { query = new[] { query }, prompts = new[] { prompt }, labels = new[] { "theft" } }));
    }

    private static string Words(int count) => string.Join(' ', Enumerable.Range(0, count).Select(number => (number % 7) switch { 0 => "the", 1 => "library", 2 => "opens", 3 => "early", 4 => "on", 5 => "most", _ => "days" }));

    private readonly record struct Rate(double PerSecond, double Processor);

    private sealed class ConstantJudge : IAnswerJudge
    {
        private static readonly Judgement Good = new([new Verdict(1, "constant")]);

        public string Version => "constant-1";

        public Task<IReadOnlyList<Judgement>> JudgeAsync(
            IReadOnlyList<(AnswerView View, Spec Spec, string Id)> items, IRecovery<Verdict>? recovery = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
        {
            var judgements = new Judgement[items.Count];
            Array.Fill(judgements, Good);
            return Task.FromResult<IReadOnlyList<Judgement>>(judgements);
        }
    }
}
