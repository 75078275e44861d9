using System.Net;
using System.Text.Json.Nodes;
using Deliberate.Server.Access;
using Deliberate.Server.Chat;
using Deliberate.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Deliberate.Server.Tests.Access;

public class AccessTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static ServedModelOptions Model => new("m", new SayingModel("t", "a"));

    [Theory]
    [InlineData("POST", "/v1/chat/completions", "chat")]
    [InlineData("POST", "/v1/responses", "chat")]
    [InlineData("GET", "/v1/models", "chat")]
    [InlineData("GET", "/v1/audit", "audit")]
    [InlineData("GET", "/v1/audit/x", "audit")]
    public async Task Only_a_key_with_the_right_gets_in(string method, string path, string right)
    {
        await using var server = await RunningServer.StartAsync(Model);
        foreach (var key in (string?[])[null, "dlb_0", "", .. Rights.All])
        {
            var (status, body) = await server.SendAsync(new(method), path, key, method == "POST" ? RunningServer.Chat() : null, cancel: Token);
            if (key == right)
            {
                Assert.True(status is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden), body);
                continue;
            }

            var known = Rights.All.Contains(key);
            Assert.Equal(known ? HttpStatusCode.Forbidden : HttpStatusCode.Unauthorized, status);
            Assert.Equal(known ? "insufficient_rights" : "invalid_api_key", (string?)JsonNode.Parse(body)!["error"]!["code"]);
        }
    }

    [Fact]
    public async Task A_key_counts_in_its_header_alone()
    {
        await using var server = await RunningServer.StartAsync(Model);
        var key = server.Keys["chat"];
        foreach (var path in (string[])[$"/v1/models?key={key}", $"/v1/models?api_key={key}", $"/v1/models?access_token={key}"])
            Assert.Equal(HttpStatusCode.Unauthorized, (await server.SendAsync(HttpMethod.Get, path, null, cancel: Token)).Status);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Headers = { { "X-Api-Key", key }, { "Cookie", $"key={key}" } } };
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.Http.SendAsync(request, Token)).StatusCode);
        foreach (var prefix in (string[])["Basic ", "", "Bearer Bearer "])
        {
            using var wrong = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
            wrong.Headers.TryAddWithoutValidation("Authorization", prefix + key);
            Assert.Equal(HttpStatusCode.Unauthorized, (await server.Http.SendAsync(wrong, Token)).StatusCode);
        }
    }

    [Fact]
    public async Task A_key_that_is_withdrawn_is_refused_at_once_and_a_new_one_taken()
    {
        await using var server = await RunningServer.StartAsync(Model);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Get, "/v1/models", cancel: Token)).Status);
        // As another process would, which has the file alone.
        var file = new KeyFile(server.KeyFile);
        var added = file.Add("late", [Rights.Chat], DateTimeOffset.UnixEpoch).Text;
        Assert.True(file.Remove(file.Find(server.Keys["chat"])!.Id));
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.SendAsync(HttpMethod.Get, "/v1/models", cancel: Token)).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Get, "/v1/models", added, cancel: Token)).Status);
    }

    [Fact]
    public async Task A_file_of_keys_holds_no_key_and_is_its_owners_alone()
    {
        await using var server = await RunningServer.StartAsync(Model);
        var text = await File.ReadAllTextAsync(server.KeyFile, Token);
        Assert.All(server.Keys.Values, key => Assert.DoesNotContain(key["dlb_".Length..], text, StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(server.KeyFile));
        Assert.Throws<ArgumentException>(() => new KeyFile(server.KeyFile).Add("x", ["chat", "everything"], DateTimeOffset.UnixEpoch));
        await File.WriteAllTextAsync(server.KeyFile, text.Replace("\"audit\"", "\"everything\"", StringComparison.Ordinal), Token);
        Assert.Contains("everything", Assert.Throws<InvalidDataException>(() => new KeyFile(server.KeyFile)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Beyond_the_loopback_a_key_must_have_been_made_before()
    {
        var folder = Directory.CreateTempSubdirectory("deliberate-server-").FullName;
        var options = new ServerOptions { Listen = new(IPAddress.Any, 0), KeyFile = Path.Combine(folder, "keys.json"), AuditFolder = null };
        Assert.Contains("has no key", Assert.Throws<ArgumentException>(() => DeliberateServer.Build(options)).Message, StringComparison.Ordinal);
        new KeyFile(options.KeyFile).Add("x", [Rights.Chat], DateTimeOffset.UnixEpoch);
        ((IDisposable)DeliberateServer.Build(options)).Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_key_that_asks_too_often_waits_and_the_others_do_not()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var server = await RunningServer.StartAsync(new ServerOptions { Models = [Model], RequestsPerMinute = 2, Time = time });
        var statuses = new List<HttpStatusCode>();
        for (var number = 0; number < 3; number++) statuses.Add((await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat(), cancel: Token)).Status);
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], statuses);
        using var again = await server.Http.SendAsync(server.Request(HttpMethod.Post, "/v1/responses", "chat", RunningServer.Respond()), Token);
        Assert.Equal("rate_limit_exceeded", (string?)JsonNode.Parse(await again.Content.ReadAsStringAsync(Token))!["error"]!["code"]);
        Assert.NotNull(again.Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "both", RunningServer.Chat(), cancel: Token)).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Get, "/v1/models", "chat", cancel: Token)).Status);
    }

    [Fact]
    public async Task A_key_has_only_so_many_requests_open()
    {
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var model = new SayingModel(_ => new([]) { Before = token => { begun.TrySetResult(); return go.Task.WaitAsync(token); } });
        await using var server = await RunningServer.StartAsync(new ServerOptions { Models = [new("m", model)], OpenRequests = 1 });
        var first = server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat(), cancel: Token);
        await begun.Task;
        Assert.Equal(HttpStatusCode.TooManyRequests, (await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat(), cancel: Token)).Status);
        go.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).Status);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused()
    {
        await using var server = await RunningServer.StartAsync(new ServerOptions { Models = [Model], MaxBodyBytes = 1000 });
        var (status, body) = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat(new('x', 2000)), cancel: Token);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "request_too_large"), (status, (string?)JsonNode.Parse(body)!["error"]!["code"]));
    }

    [Fact]
    public async Task Pages_of_other_sites_get_nothing()
    {
        await using var server = await RunningServer.StartAsync(Model);
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions") { Headers = { { "Origin", "https://example.org" }, { "Access-Control-Request-Method", "POST" } } };
        using var answered = await server.Http.SendAsync(preflight, Token);
        Assert.DoesNotContain(answered.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        using var renamed = server.Request(HttpMethod.Get, "/v1/models", "chat");
        renamed.Headers.Host = "example.org";
        Assert.Equal(HttpStatusCode.BadRequest, (await server.Http.SendAsync(renamed, Token)).StatusCode);
    }

    [Fact]
    public async Task What_says_nothing_of_who_may_use_it_takes_a_known_caller()
    {
        await using var server = await RunningServer.StartAsync(new ServerOptions { Models = [Model] }, map: app =>
        {
            app.MapGet("/page", () => "page");
            app.MapGet("/audited", () => "audited").RequireAuthorization(Rights.Audit);
        });
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.SendAsync(HttpMethod.Get, "/page", null, cancel: Token)).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Get, "/page", "reward", cancel: Token)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await server.SendAsync(HttpMethod.Get, "/audited", "reward", cancel: Token)).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Get, "/audited", "audit", cancel: Token)).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync(HttpMethod.Get, "/health", null, cancel: Token)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync(HttpMethod.Get, "/v1/nothing", "chat", cancel: Token)).Status);
    }
}
