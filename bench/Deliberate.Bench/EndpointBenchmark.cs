using System.Diagnostics;
using System.Globalization;
using System.Text;
using Deliberate.Endpoints.Flow;
using Deliberate.Endpoints.Models;
using Deliberate.Pipeline;
using Deliberate.Pipeline.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deliberate.Bench;

/// <summary>
/// Stage <c>generate</c> as users start it, against a server in another process on the same machine that answers at once: durable completions per second, and
/// whether memory stays flat however many prompts stream through.
/// </summary>
internal static class EndpointBenchmark
{
    public static async Task RunAsync(int prompts, int concurrency)
    {
        var folder = Directory.CreateTempSubdirectory("deliberate-bench-").FullName;
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["instant-server"]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        try
        {
            var address = (await server.StandardOutput.ReadLineAsync())!;
            var file = Path.Combine(folder, "prompts.jsonl");
            await File.WriteAllLinesAsync(file, Enumerable.Range(0, prompts).Select(number => string.Create(CultureInfo.InvariantCulture,
                $"{{\"id\":\"p{number}\",\"prompt\":\"Tell me about {number * 7919L} and {number * 104729L}, please.\",\"category\":\"{(number % 2 == 0 ? "theft" : "none")}\"}}")));
            var policy = ShippedModel.Find(Path.Combine("policies", "example"))!;
            using var run = DataRun.Open(new()
            {
                PolicyFolder = policy,
                Out = Path.Combine(folder, "run"),
                Prompts = [file],
                HeldOut = 0,
                Samples = 1,
                NearDuplicate = 2, // numbers apart, they are alike
                Models = new()
                {
                    Base = new ModelSettings { Name = ModelName.Parse($"openai:instant@{address}/v1"), Flow = new FlowControlOptions { MaxConcurrency = concurrency } },
                    Responses = Path.Combine(folder, "responses.db"),
                },
            });
            var watch = new Watch(prompts, server);
            var total = Stopwatch.GetTimestamp();
            await run.StageAsync("generate", watch);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{prompts:N0} prompts, {concurrency} at once, {Environment.ProcessorCount} cores shared with the server: {watch.Rate:N0} durable completions/s ({(watch.Rate >= 2000 ? "reaches" : "misses")} 2,000/s); with reading and preparing the prompts {prompts / Stopwatch.GetElapsedTime(total).TotalSeconds:N0}/s"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"processor time of a completion: {watch.Processor * 1e6:F0} µs here, {watch.Server * 1e6:F0} µs in the server"));
            Console.WriteLine($"working set by quarters {string.Join(", ", watch.Memory.Select(size => size.ToString("F0", CultureInfo.InvariantCulture)))} MB");
        }
        finally
        {
            server.Kill();
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The server: a thought and an answer of 400 characters, the same for every call.</summary>
    public static async Task ServeAsync()
    {
        var text = string.Concat(Enumerable.Repeat("word and word. ", 27))[..400];
        var reply = Encoding.UTF8.GetBytes($"{{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"instant\",\"choices\":[{{\"index\":0,\"finish_reason\":\"stop\",\"message\":{{\"role\":\"assistant\",\"reasoning\":\"{text}\",\"content\":\"{text}\"}}}}],\"usage\":{{\"prompt_tokens\":900,\"completion_tokens\":200,\"total_tokens\":1100}}}}");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async context =>
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
        Console.WriteLine(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        await Task.Delay(Timeout.Infinite);
    }

    // Rate and processor time of both processes from the first completion on, and the working set at each quarter.
    private sealed class Watch(int total, Process server) : IProgress<StageProgress>
    {
        private long _first;
        private double _processor, _server;

        public double Rate { get; private set; }

        public double Processor { get; private set; }

        public double Server { get; private set; }

        public List<double> Memory { get; } = [];

        public void Report(StageProgress value)
        {
            if (value.Stage != "generate") return;
            if (value.Done == 1) (_first, _processor, _server) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime.TotalSeconds, ServerSeconds());
            if (value.Done >= (Memory.Count + 1) * (long)total / 4) Memory.Add(Environment.WorkingSet / 1e6);
            if (value.Done < total) return;
            Rate = (total - 1) / Stopwatch.GetElapsedTime(_first).TotalSeconds;
            (Processor, Server) = ((Environment.CpuUsage.TotalTime.TotalSeconds - _processor) / total, (ServerSeconds() - _server) / total);
        }

        private double ServerSeconds()
        {
            server.Refresh();
            return server.TotalProcessorTime.TotalSeconds;
        }
    }
}
