using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Deliberate.Inference.Hub;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Deliberate.Inference.Tests.Hub;

/// <summary>A request that arrived.</summary>
internal sealed record HubRequest(string Method, string Path, string? Authorization, string? Range);

/// <summary>A hub on this machine with one model, and a second server that keeps its large files.</summary>
internal sealed class HubServer : IAsyncDisposable, IProgress<HubProgress>
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    /// <summary>The commit of every branch.</summary>
    public string Head { get; set; } = Commit;

    private readonly WebApplication _hub, _store;
    private long _arrived;
    private bool _stopped;

    private HubServer() => (_hub, _store) = (Build(HubAsync), Build(StoreAsync));

    public Uri Endpoint { get; private set; } = null!;

    public string StoreAddress { get; private set; } = null!;

    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>Names that the list holds in addition.</summary>
    public List<string> AlsoListed { get; } = [];

    /// <summary>What a file's bytes are when they are sent, where not as listed.</summary>
    public Dictionary<string, byte[]> Sent { get; } = [];

    /// <summary>An ETag other than the right one.</summary>
    public Dictionary<string, string> Etags { get; } = [];

    /// <summary>Where large files are said to be, where not in the store.</summary>
    public string? Location { get; set; }

    /// <summary>A status the hub answers everything with.</summary>
    public int? Status { get; set; }

    /// <summary>How many of the next requests are answered 503.</summary>
    public int Busy;

    /// <summary>After how many bytes each of the next answers of the store breaks off; the client must report here that it has them.</summary>
    public ConcurrentQueue<int> Cuts { get; } = new();

    /// <summary>Whether the store sends everything whatever range is asked for.</summary>
    public bool IgnoresRange { get; set; }

    public ConcurrentQueue<HubRequest> ToHub { get; } = new();

    public ConcurrentQueue<HubRequest> ToStore { get; } = new();

    public static async Task<HubServer> StartAsync()
    {
        var server = new HubServer();
        await server._hub.StartAsync();
        await server._store.StartAsync();
        (server.Endpoint, server.StoreAddress) = (new(server._hub.Urls.Single()), server._store.Urls.Single());
        return server;
    }

    /// <summary>Takes the files of a folder.</summary>
    public void Publish(string folder)
    {
        foreach (var file in Directory.GetFiles(folder)) Files[Path.GetFileName(file)] = File.ReadAllBytes(file);
    }

    public void Report(HubProgress value)
    {
        if (IsLarge(value.File)) Volatile.Write(ref _arrived, value.Done);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopped) return;
        _stopped = true;
        await _hub.DisposeAsync();
        await _store.DisposeAsync();
    }

    public static bool IsLarge(string name) => name.EndsWith(".safetensors", StringComparison.Ordinal);

    public string EtagOf(string name) => Etags.TryGetValue(name, out var etag) ? etag : Convert.ToHexStringLower(IsLarge(name) ? SHA256.HashData(Files[name])
#pragma warning disable CA5350 // git names contents so
        : SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {Files[name].Length}\0"), .. Files[name]]));
#pragma warning restore CA5350

    private static WebApplication Build(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(answer);
        return app;
    }

    private static HubRequest Note(HttpContext context) => new(context.Request.Method, context.Request.Path.Value! + context.Request.QueryString, context.Request.Headers.Authorization, context.Request.Headers.Range);

    private async Task HubAsync(HttpContext context)
    {
        ToHub.Enqueue(Note(context));
        context.Response.StatusCode = Status ?? (Interlocked.Decrement(ref Busy) >= 0 ? 503 : 200);
        if (context.Response.StatusCode != 200) return;
        var path = context.Request.Path.Value!;
        if (path.StartsWith("/api/models/o/m/revision/", StringComparison.Ordinal))
        {
            var listed = Files.Select(file => (object)(IsLarge(file.Key)
                ? new { rfilename = file.Key, size = file.Value.Length, lfs = new { sha256 = Convert.ToHexStringLower(SHA256.HashData(file.Value)) } }
                : new { rfilename = file.Key, size = file.Value.Length }));
            await context.Response.WriteAsync(JsonSerializer.Serialize(new { sha = Head, siblings = listed.Concat(AlsoListed.Select(name => (object)new { rfilename = name, size = 1 })) }));
            return;
        }

        // Small files: some are sent at once, others by way of an address on the hub.
        const string Cache = "/api/resolve-cache/";
        var name = path[(path.LastIndexOf('/') + 1)..];
        if (!path.StartsWith(Cache, StringComparison.Ordinal) && path != $"/o/m/resolve/{Head}/{name}" || !Files.TryGetValue(name, out var content))
        {
            context.Response.StatusCode = 404;
            return;
        }

        if (IsLarge(name))
        {
            context.Response.StatusCode = 302;
            context.Response.Headers["X-Linked-Etag"] = $"\"{EtagOf(name)}\"";
            context.Response.Headers.Location = Location ?? $"{StoreAddress}/{name}";
            return;
        }

        if (name == "tokenizer.json" && !path.StartsWith(Cache, StringComparison.Ordinal))
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = Cache + name;
            return;
        }

        context.Response.Headers.ETag = $"W/\"{EtagOf(name)}\"";
        context.Response.ContentLength = content.Length;
        if (context.Request.Method != "HEAD") await context.Response.Body.WriteAsync(Sent.GetValueOrDefault(name, content));
    }

    private async Task StoreAsync(HttpContext context)
    {
        ToStore.Enqueue(Note(context));
        var name = context.Request.Path.Value![1..];
        var content = Sent.GetValueOrDefault(name) ?? Files[name];
        var start = 0;
        if (!IgnoresRange && context.Request.GetTypedHeaders().Range is { } range)
        {
            start = (int)range.Ranges.Single().From!.Value;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {start}-{content.Length - 1}/{content.Length}";
        }

        context.Response.ContentLength = content.Length - start;
        var count = Cuts.TryDequeue(out var cut) ? cut : content.Length - start;
        await context.Response.Body.WriteAsync(content.AsMemory(start, count));
        await context.Response.Body.FlushAsync();
        if (count == content.Length - start) return;
        while (Volatile.Read(ref _arrived) < start + count) await Task.Delay(2, context.RequestAborted);
        context.Abort();
    }
}
