using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Deliberate.Server.Access;
using Deliberate.Server.Chat;
using Deliberate.Server.Hosting;
using Microsoft.AspNetCore.Builder;

namespace Deliberate.Server.Tests;

/// <summary>A server on a free port of the loopback, with its own folder and a key for every right.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private readonly string _folder;
    private readonly WebApplication _app;

    private RunningServer(string folder, WebApplication app, IReadOnlyDictionary<string, string> keys)
    {
        (_folder, _app, Keys) = (folder, app, keys);
        Http = new(new SocketsHttpHandler { PooledConnectionLifetime = Timeout.InfiniteTimeSpan, UseProxy = false }) { BaseAddress = new(app.Urls.First()) };
    }

    public HttpClient Http { get; }

    public Uri Address => new(Http.BaseAddress!, "/v1");

    public IServiceProvider Services => _app.Services;

    public string AuditFolder => Path.Combine(_folder, "audit");

    public string KeyFile => Path.Combine(_folder, "keys.json");

    /// <summary>Keys by the one right that each has; "both": chat and audit.</summary>
    public IReadOnlyDictionary<string, string> Keys { get; }

    public static async Task<RunningServer> StartAsync(ServerOptions options, Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null)
    {
        var folder = Directory.CreateTempSubdirectory("deliberate-server-").FullName;
        var file = new KeyFile(Path.Combine(folder, "keys.json"));
        var keys = Rights.All.ToDictionary(right => right, right => file.Add(right, [right], DateTimeOffset.UnixEpoch).Text);
        keys["both"] = file.Add("both", [Rights.Chat, Rights.Audit], DateTimeOffset.UnixEpoch).Text;
        var app = DeliberateServer.Build(options with { Listen = new(IPAddress.Loopback, 0), KeyFile = Path.Combine(folder, "keys.json"), AuditFolder = options.AuditFolder is null ? null : Path.Combine(folder, "audit") }, configure, map);
        await app.StartAsync();
        return new(folder, app, keys);
    }

    public static Task<RunningServer> StartAsync(params ServedModelOptions[] models) => StartAsync(new ServerOptions { Models = models, RequestsPerMinute = 0, OpenRequests = 0 });

    public Task StopAsync() => _app.StopAsync();

    public HttpRequestMessage Request(HttpMethod method, string path, string? key, JsonNode? body = null, bool show = false)
    {
        var request = new HttpRequestMessage(method, path);
        if (key is not null) request.Headers.Authorization = new("Bearer", Keys.GetValueOrDefault(key, key));
        if (show) request.Headers.Add("X-Deliberate-Thinking", "show");
        if (body is not null) request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString())) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        return request;
    }

    /// <summary>Sends a request and reads the whole reply.</summary>
    public async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpMethod method, string path, string? key = "chat", JsonNode? body = null, bool show = false, CancellationToken cancel = default)
    {
        using var request = Request(method, path, key, body, show);
        using var response = await Http.SendAsync(request, cancel);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(cancel));
    }

    /// <summary>A chat request of one message.</summary>
    public static JsonObject Chat(string text = "hello", bool stream = false) => new()
    {
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        ["stream"] = stream,
    };

    /// <summary>A Responses request of one message.</summary>
    public static JsonObject Respond(string text = "hello", bool stream = false) => new() { ["input"] = text, ["stream"] = stream };

    /// <summary>The data of server-sent events.</summary>
    public static IReadOnlyList<string> Events(string body) => [.. body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(item => item.Split('\n').FirstOrDefault(line => line.StartsWith("data: ", StringComparison.Ordinal))?[6..]).OfType<string>()];

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
