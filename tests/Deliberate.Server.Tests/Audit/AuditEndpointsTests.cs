using System.Net;
using System.Text.Json.Nodes;
using Deliberate.Auditing;
using Deliberate.Policies;
using Deliberate.Server.Chat;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Server.Tests.Audit;

public class AuditEndpointsTests
{
    private static readonly Policy Rules = Policy.Parse(new Dictionary<string, string>
    {
        ["policy.md"] = "# Rules\n\n## Principles\n\n- Be kind.\n",
        ["theft.md"] = "# Theft\n\nTaking what belongs to others.\n\n## Disallowed\n\n- **T6** Instructions: a working method is never given to anybody.\n",
    });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Exchanges_are_read_page_by_page_and_one_by_the_id_of_its_response()
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", new SayingModel("[T6] and [T9] say no.", "No.")) { Policy = Rules });
        var ids = new List<string>();
        for (var number = 0; number < 5; number++) ids.Add((string)JsonNode.Parse((await server.SendAsync(HttpMethod.Post, number % 2 == 0 ? "/v1/chat/completions" : "/v1/responses", "chat", number % 2 == 0 ? RunningServer.Chat($"q{number}") : RunningServer.Respond($"q{number}"), cancel: Token)).Body)!["id"]!);

        var page = JsonNode.Parse((await server.SendAsync(HttpMethod.Get, "/v1/audit?after=1&limit=2", "audit", cancel: Token)).Body)!;
        Assert.Equal([2, 3], page["data"]!.AsArray().Select(item => (int)item!["number"]!));
        Assert.Equal((5, true), ((int)page["last"]!, (bool)page["has_more"]!));
        var item = JsonNode.Parse((await server.SendAsync(HttpMethod.Get, $"/v1/audit/{ids[3]}", "audit", cancel: Token)).Body)!;
        Assert.Equal(("q3", "[T6] and [T9] say no.", "No."), ((string?)item["conversation"]![0]!["text"], (string?)item["thinking"], (string?)item["answer"]));
        var exchange = item["exchange"]!;
        Assert.Equal((ids[3], "m", "fingerprint", Rules.Hash, "answered"), ((string?)exchange["id"], (string?)exchange["model"], (string?)exchange["fingerprint"], (string?)exchange["policy_hash"], (string?)exchange["outcome"]));
        Assert.Equal("""[{"code":"T6","exists":true},{"code":"T9","exists":false}]""", exchange["citations"]!.ToJsonString());
        var key = (string)exchange["caller"]!;
        Assert.Contains(new Deliberate.Server.Access.KeyFile(server.KeyFile).Keys, known => known.Id == key && known.Name == "chat");
        Assert.DoesNotContain(server.Keys["chat"], item.ToJsonString(), StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync(HttpMethod.Get, "/v1/audit/none", "audit", cancel: Token)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.SendAsync(HttpMethod.Get, "/v1/audit?limit=0", "audit", cancel: Token)).Status);
        Assert.True(AuditVerification.Of(server.AuditFolder).Holds);
    }

    [Fact]
    public async Task A_response_that_was_received_is_in_the_log_already()
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", new SayingModel("t", "a")));
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Token }, async (number, token) =>
        {
            var (_, body) = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat(stream: number % 2 == 0), cancel: token);
            var id = (string)JsonNode.Parse(number % 2 == 0 ? RunningServer.Events(body)[0] : body)!["id"]!;
            // On disk, where another reader sees it.
            Assert.Contains(Directory.GetFiles(server.AuditFolder, "*.jsonl"), file => ReadShared(file).Contains(id, StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task A_stream_that_its_caller_leaves_is_in_the_log_as_broken_off()
    {
        var stopped = new TaskCompletionSource();
        var model = new SayingModel(_ => new([new TextReasoningContent("hm"), new TextContent("One")])
        {
            Before = async token =>
            {
                await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                stopped.SetResult();
                token.ThrowIfCancellationRequested();
            },
        });
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", model));
        using (var response = await server.Http.SendAsync(server.Request(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat(stream: true)), HttpCompletionOption.ResponseHeadersRead, Token))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Token));
            await reader.ReadLineAsync(Token);
        }

        await stopped.Task;
        JsonNode page;
        do page = JsonNode.Parse((await server.SendAsync(HttpMethod.Get, "/v1/audit", "audit", cancel: Token)).Body)!;
        while (page["data"]!.AsArray().Count == 0);
        Assert.Equal(("broken_off", "hm"), ((string?)page["data"]![0]!["exchange"]!["outcome"], (string?)page["data"]![0]!["thinking"]));
    }

    private static string ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }
}
