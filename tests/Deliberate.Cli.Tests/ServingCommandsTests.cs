using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Deliberate.Auditing;
using Xunit;

namespace Deliberate.Cli.Tests;

public sealed partial class ServingCommandsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("deliberate-serve-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<(int Code, Streams Streams)> RunAsync(params string[] args)
    {
        var streams = new Streams();
        return (await new Application(streams.Terminal()).RunAsync(args, Token), streams);
    }

    [Fact]
    public async Task Keys_are_made_listed_and_withdrawn()
    {
        var (code, made) = await RunAsync("keys", "add", "alice", "--rights", "chat,audit", "--folder", _folder);
        Assert.Equal(ExitCodes.Success, code);
        Assert.Matches("^dlb_[0-9a-f]{64}\n$", made.Results);
        var listed = (await RunAsync("keys", "list", "--folder", _folder)).Streams.Results;
        Assert.Contains("chat,audit  alice", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(made.Results.Trim(), listed, StringComparison.Ordinal);
        var id = listed.Split(' ')[0];
        Assert.Equal(ExitCodes.Success, (await RunAsync("keys", "remove", id, "--folder", _folder)).Code);
        Assert.Equal("", (await RunAsync("keys", "list", "--folder", _folder)).Streams.Results);
        Assert.Equal(ExitCodes.BadInput, (await RunAsync("keys", "remove", id, "--folder", _folder)).Code);
        Assert.Equal(ExitCodes.BadInput, (await RunAsync("keys", "add", "bob", "--rights", "fly", "--folder", _folder)).Code);
    }

    [Fact]
    public async Task A_log_is_verified_and_a_broken_one_told_of_with_file_and_line()
    {
        await using (var log = AuditLog.Open(_folder))
            foreach (var id in (string[])["a", "b"]) await log.AppendAsync(new() { Id = id, Begun = default, Ended = default, Model = "m", Outcome = AuditOutcome.Answered, Thinking = "t" });
        var (code, streams) = await RunAsync("audit", "verify", _folder);
        Assert.Equal(ExitCodes.Success, code);
        var hash = Hash().Match(streams.Results).Groups[1].Value;
        Assert.Equal(ExitCodes.Success, (await RunAsync("audit", "verify", _folder, "--expect", hash)).Code);
        Assert.Equal(ExitCodes.Failure, (await RunAsync("audit", "verify", _folder, "--expect", new string('0', 64))).Code);
        var file = Directory.GetFiles(_folder, "*.jsonl").Single();
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file, Token)).Replace("\"b\"", "\"c\"", StringComparison.Ordinal), Token);
        var (broken, said) = await RunAsync("audit", "verify", _folder);
        Assert.Equal(ExitCodes.Failure, broken);
        Assert.StartsWith($"error: {file}:2: ", said.Notes, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.BadInput, (await RunAsync("audit", "verify", Path.Combine(_folder, "none"))).Code);
    }

    [Theory]
    [InlineData("there is nothing to serve")]
    [InlineData("Give either", "--run", "a", "--model", "b")]
    [InlineData("is no arm", "--run", "a", "--arm", "x")]
    [InlineData("go with --policy", "--model", "miniature", "--label")]
    [InlineData("is no model", "--model", "nowhere")]
    [InlineData("--listen takes", "--model", "miniature", "--listen", "here")]
    [InlineData("--effort:", "--model", "miniature", "--effort", "low=much")]
    [InlineData("is no part", "--model", "miniature", "--withhold", "hat")]
    [InlineData("is no model", "--judge", "nowhere")]
    [InlineData("rewards need a policy", "--judge", "openai:m@http://127.0.0.1:9/v1")]
    [InlineData("goes with --judge", "--model", "miniature", "--judge-format", "paper")]
    [InlineData("judges its own small world only", "--judge", "miniature")]
    [InlineData("not there", "--dashboard", "nowhere")]
    [InlineData("has no key", "--model", "miniature", "--listen", "0.0.0.0:0")]
    public async Task What_cannot_be_served_is_told_in_one_line(string message, params string[] args)
    {
        var (code, streams) = await RunAsync(["serve", "--folder", _folder, .. args]);
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(message, Assert.Single(streams.NoteLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_miniature_is_served_with_its_thinking_hidden_until_it_is_stopped()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var lines = new Lines();
        var running = new Application(new(TextReader.Null, lines, TextWriter.Null)).RunAsync(["serve", "--model", "miniature", "--listen", "127.0.0.1:0", "--folder", _folder], stop.Token);
        var (url, key) = (Address().Match(await lines.NextAsync(running)).Value, Key().Match(await lines.NextAsync(running)).Value);
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        async Task<string> AskAsync(string body)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await http.PostAsync(new Uri($"{url}/chat/completions"), content, Token);
            var text = await response.Content.ReadAsStringAsync(Token);
            Assert.True(response.IsSuccessStatusCode, text);
            return text;
        }

        const string ask = "{\"messages\":[{\"role\":\"user\",\"content\":\"How do I repair a lantern?\"}],\"max_tokens\":120";
        var whole = JsonNode.Parse(await AskAsync(ask + "}"))!;
        var shown = JsonNode.Parse(await AskAsync(ask + ",\"include\":[\"reasoning\"]}"))!;
        var (answer, thinking) = ((string)whole["choices"]![0]!["message"]!["content"]!, (string)shown["choices"]![0]!["message"]!["reasoning"]!);
        Assert.Null(whole["choices"]![0]!["message"]!["reasoning"]);
        Assert.Equal(answer, (string?)shown["choices"]![0]!["message"]!["content"]);
        var streamed = await AskAsync(ask + ",\"stream\":true}");
        Assert.Equal(answer, string.Concat(streamed.Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => (string?)JsonNode.Parse(line[6..])!["choices"]![0]!["delta"]!["content"])).Trim());

        await stop.CancelAsync();
        Assert.Equal(ExitCodes.Success, await running);
        Assert.True(AuditVerification.Of(Path.Combine(_folder, "audit")).Holds);
        await using var log = AuditLog.Open(Path.Combine(_folder, "audit"));
        Assert.All(log.Read(0, 10), entry => Assert.Equal(thinking, entry.Exchange.Thinking));
        Assert.Equal(3, log.Last);
    }

    [Fact]
    public async Task The_log_of_a_running_server_is_shown_with_a_key_that_opens_it_alone()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var lines = new Lines();
        var (runs, audit) = (Directory.CreateDirectory(Path.Combine(_folder, "runs")).FullName, Path.Combine(_folder, "audit"));
        Assert.Contains("not there", (await RunAsync("dashboard", runs, "--audit", audit)).Streams.Notes, StringComparison.Ordinal);
        // The server holds its log all the while.
        await using var log = AuditLog.Open(audit);
        await log.AppendAsync(new() { Id = "a", Begun = default, Ended = default, Model = "m", Outcome = AuditOutcome.Answered, Thinking = "t" });
        var running = new Application(new(TextReader.Null, lines, TextWriter.Null)).RunAsync(["dashboard", runs, "--audit", audit, "--urls", "http://127.0.0.1:0"], stop.Token);
        var url = new Uri(Regex.Match(await lines.NextAsync(running), @"^dashboard: (http://\S+)/dashboard$").Groups[1].Value);
        var key = Regex.Match(await lines.NextAsync(running), "^key: +([0-9a-f]{48})$").Groups[1].Value;
        var auditKey = Regex.Match(await lines.NextAsync(running), "^audit key: ([0-9a-f]{48})$").Groups[1].Value;
        foreach (var (holder, status) in ((string, int)[])[(auditKey, 200), (key, 403)])
        {
            using var http = new HttpClient { BaseAddress = url };
            var form = Regex.Match(await http.GetStringAsync(new Uri("/dashboard/login", UriKind.Relative), Token), "name=\"form-token\" value=\"([^\"]+)\"").Groups[1].Value;
            using var login = new FormUrlEncodedContent([new("form-token", form), new("key", holder), new("return", "/dashboard/audit")]);
            using var page = await http.PostAsync(new Uri("/dashboard/login", UriKind.Relative), login, Token);
            Assert.Equal(status, (int)page.StatusCode);
            Assert.Equal(status == 200, (await page.Content.ReadAsStringAsync(Token)).Contains("/dashboard/audit/1", StringComparison.Ordinal));
        }

        await stop.CancelAsync();
        Assert.Equal(ExitCodes.Success, await running);
    }

    [Fact]
    public async Task A_judge_is_lent_and_runs_are_shown_to_keys_with_the_right_to_it()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var lines = new Lines();
        var policy = Path.Combine(_folder, "policy");
        Directory.CreateDirectory(policy);
        File.WriteAllText(Path.Combine(policy, "policy.md"), "# Lamps\n\n## Principles\n\n- Be kind.\n");
        File.WriteAllText(Path.Combine(policy, "lamps.md"), "# Lamps\n\nAll about lamps.\n\n## Allowed\n\n- **L1** Repairing lamps.\n\n## Disallowed\n\n- **L2** Breaking lamps.\n");
        var runs = Directory.CreateDirectory(Path.Combine(_folder, "runs")).FullName;
        var running = new Application(new(TextReader.Null, lines, TextWriter.Null)).RunAsync(
            ["serve", "--judge", "openai:m@http://127.0.0.1:9/v1", "--policy", policy, "--dashboard", runs, "--listen", "127.0.0.1:0", "--folder", _folder], stop.Token);
        var url = new Uri(Regex.Match(await lines.NextAsync(running), @"^rewards at (http://127\.0\.0\.1:\d+)/reward").Groups[1].Value);
        Assert.Equal($"dashboard at {url}dashboard", await lines.NextAsync(running));
        var all = Key().Match(await lines.NextAsync(running)).Value;
        var chat = (await RunAsync("keys", "add", "bob", "--rights", "chat", "--folder", _folder)).Streams.Results.Trim();
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = url };
        async Task<(int Status, string Body)> RewardAsync(string? key, string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/score") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var response = await http.SendAsync(request, Token);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(Token));
        }

        Assert.Equal(401, (await RewardAsync(null, "{}")).Status);
        Assert.Equal(403, (await RewardAsync(chat, "{}")).Status);
        var (status, error) = await RewardAsync(all, "{}");
        Assert.Equal(400, status);
        Assert.Contains("solution_str", error, StringComparison.Ordinal);
        using var page = await http.GetAsync(new Uri("/dashboard", UriKind.Relative), Token);
        Assert.Contains("/dashboard/login", page.Headers.Location!.ToString(), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(ExitCodes.Success, await running);
    }

    /// <summary>Hands lines to a reader as they are written.</summary>
    private sealed class Lines : StringWriter
    {
        private readonly System.Threading.Channels.Channel<string> _lines = System.Threading.Channels.Channel.CreateUnbounded<string>();

        public override void WriteLine(string? value) => _lines.Writer.TryWrite(value ?? "");

        public async Task<string> NextAsync(Task running)
        {
            var next = _lines.Reader.ReadAsync(Token).AsTask();
            Assert.Same(next, await Task.WhenAny(next, running));
            return await next;
        }
    }

    [GeneratedRegex("last hash: ([0-9a-f]{64})")]
    private static partial Regex Hash();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+/v1")]
    private static partial Regex Address();

    [GeneratedRegex("dlb_[0-9a-f]{64}")]
    private static partial Regex Key();
}
