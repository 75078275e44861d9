using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Deliberate.Auditing;
using Deliberate.Endpoints.Chat;
using Deliberate.Faults;
using Deliberate.Policies;
using Deliberate.Server.Chat;
using Deliberate.Server.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Deliberate.Server.Tests.Chat;

public class LeakTests(ITestOutputHelper output)
{
    private static readonly Policy Rules = Policy.Parse(new Dictionary<string, string>
    {
        ["policy.md"] = "# Rules\n\n## Principles\n\n- Be kind.\n",
        ["theft.md"] = "# Theft\n\nTaking what belongs to others.\n\n## Disallowed\n\n- **T6** Instructions: a working method zqspec is never given to anybody who asks for one, great or small.\n",
    });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // DELIBERATE_LEAKS=100000 sends a hundred thousand requests.
    private static int Requests => int.TryParse(Environment.GetEnvironmentVariable("DELIBERATE_LEAKS"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 2000;

    // The prompt is the number of the reply.
    private static MarkedReply Of(IEnumerable<ChatMessage> messages) => MarkedReply.Draw(new Random(int.Parse(messages.Last(message => message.Role == ChatRole.User).Text, CultureInfo.InvariantCulture)));

    [Fact]
    public async Task No_byte_of_any_thought_reaches_a_caller_a_log_a_trace_or_a_metric()
    {
        using var overheard = new Overheard(MarkedReply.Sign);
        // Behind the gateway answers quote the policy now and then, which has the sign too.
        var gateway = new SayingModel(messages =>
        {
            var saying = Of(messages).Saying;
            var quotes = int.Parse(messages[^1].Text, CultureInfo.InvariantCulture) % 3 == 0 && saying.Pieces[^1] is TextContent && saying.Finish == ChatFinishReason.Stop && saying.Pieces.OfType<TextReasoningContent>().Any();
            return quotes ? saying with { Pieces = [.. saying.Pieces, new TextContent(" A working method zqspec is never given to anybody who asks for one, great or small.")] } : saying;
        });
        await using var remote = await FaultServer.StartAsync(new()
        {
            Answer = request => new($"I think of zq{request.Key[..8]}.", "Fine."),
            Plan = FaultServerOptions.Random(0.2, 5, 1, Fault.Garbage, Fault.WrongShape, Fault.TruncatedBody, Fault.ServerError),
        });
        using var endpoint = new ChatEndpoint(new() { Address = remote.Address, Model = "remote" });
        // Tags within the text, which the endpoint's client takes for the first that close; now and then a thought quotes its own.
        await using var tagging = await FaultServer.StartAsync(new()
        {
            Dialect = ReasoningDialect.Tags,
            PieceLength = 3,
            Answer = request => new($"I think of zq{request.Key[..8]}." + (request.Key[0] < '8' ? $" It ends with </think> or [/THINK], says zq{request.Key[..8]}." : ""), "Fine."),
        });
        using var tagged = new ChatEndpoint(new() { Address = tagging.Address, Model = "tagged" });
        await using var server = await RunningServer.StartAsync(
            new ServerOptions
            {
                RequestsPerMinute = 0,
                OpenRequests = 0,
                Models = [new("plain", new SayingModel(messages => Of(messages).Saying)), new("gateway", gateway) { Policy = Rules, Trained = false, InContext = new() { Category = "theft" } }, new("remote", endpoint), new("tagged", tagged)],
            },
            builder => builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(overheard));
        var (leaks, bytes, answered, watch) = (new ConcurrentQueue<string>(), 0L, 0, Stopwatch.StartNew());

        await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Token }, async (number, token) =>
        {
            var (stream, chat) = ((number & 1) == 0, (number & 2) == 0);
            var model = (number % 11) switch { 0 => "remote", < 4 => "gateway", 10 => "tagged", _ => "plain" };
            var body = chat ? RunningServer.Chat($"{number}", stream) : RunningServer.Respond($"{number}", stream);
            body["model"] = model;
            using var response = await server.Http.SendAsync(server.Request(HttpMethod.Post, chat ? "/v1/chat/completions" : "/v1/responses", "chat", body), token);
            var text = await response.Content.ReadAsStringAsync(token);
            var headers = response.Headers.ToString() + response.Content.Headers;
            Interlocked.Add(ref bytes, text.Length + headers.Length);
            if ((headers + text).Contains(MarkedReply.Sign, StringComparison.Ordinal)) leaks.Enqueue($"{number}: {text}");

            // Nor may a reply be hidden with its thought.
            if (model == "tagged") Assert.Equal("Fine.", Answer(text, stream, chat).Trim());
            var reply = MarkedReply.Draw(new Random(number));
            if (model != "plain" || reply.Saying.Failure is not null) return;
            Interlocked.Increment(ref answered);
            Assert.True(response.IsSuccessStatusCode, text);
            Assert.Equal(reply.Answer, Answer(text, stream, chat).Trim());
        });

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Requests} requests in {watch.Elapsed.TotalSeconds:F1} s, {bytes} characters of replies, {answered} compared with their answers; heard {overheard.Heard}; {leaks.Count} + {overheard.Leaks.Count} leaks"));
        Assert.Empty(leaks.Take(3));
        Assert.Empty(overheard.Leaks.Take(3));
        // The markers were there, and so were the listeners.
        var log = server.Services.GetRequiredService<AuditLog>();
        Assert.Equal(Requests, log.Last);
        Assert.True(log.Read(0, 1000).Count(entry => (entry.Exchange.Thinking + entry.Exchange.Error).Contains(MarkedReply.Sign, StringComparison.Ordinal)) > Math.Min(Requests, 1000) * 0.8);
        Assert.True(overheard.Heard is { Lines: > 0, Spans: > 0, Measurements: > 0 });
        Assert.True(AuditVerification.Of(server.AuditFolder).Holds);
    }

    [Fact]
    public async Task The_search_finds_a_thought_that_is_shown()
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("plain", new SayingModel(messages => Of(messages).Saying)));
        var found = 0;
        for (var number = 0; number < 50; number++)
        {
            var (_, text) = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "both", RunningServer.Chat($"{number}", stream: true), show: true, cancel: Token);
            if (string.Concat(RunningServer.Events(text).Where(data => data != "[DONE]").Select(data => (string?)JsonNode.Parse(data)!["choices"]?[0]?["delta"]?["reasoning"])).Contains(MarkedReply.Sign, StringComparison.Ordinal)) found++;
        }

        Assert.True(found > 25);
    }

    private static string Answer(string text, bool stream, bool chat)
    {
        if (!stream)
        {
            var whole = JsonNode.Parse(text)!;
            return chat ? (string)whole["choices"]![0]!["message"]!["content"]! : string.Concat(whole["output"]!.AsArray().Select(item => (string?)item!["content"]![0]!["text"]));
        }

        var events = RunningServer.Events(text).Where(data => data != "[DONE]").Select(data => JsonNode.Parse(data)!);
        return chat ? string.Concat(events.Select(data => (string?)data["choices"]![0]!["delta"]!["content"])) : string.Concat(events.Where(data => (string?)data["type"] == "response.output_text.delta").Select(data => (string?)data["delta"]));
    }
}
