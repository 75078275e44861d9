using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Deliberate.Faults;

/// <summary>
/// A server on the loopback that speaks chat completions, Responses and Ollama, whole and streamed, and goes wrong as it is told. What it answers depends
/// on the request alone. It counts what it has answered, which is what a provider would bill. Thread-safe.
/// </summary>
public sealed class FaultServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly FaultServerOptions _options;
    private readonly ConcurrentDictionary<string, int> _asked = new();
    private readonly ConcurrentDictionary<string, int> _answered = new();
    private readonly ConcurrentDictionary<Fault, int> _given = new();
    private readonly ConcurrentQueue<FaultRequest> _requests = new();
    private int _inFlight;
    private int _mostInFlight;

    private FaultServer(FaultServerOptions options)
    {
        _options = options;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.MapPost("/v1/chat/completions", context => HandleAsync(context, FaultApi.ChatCompletions));
        _app.MapPost("/v1/responses", context => HandleAsync(context, FaultApi.Responses));
        _app.MapPost("/api/chat", context => HandleAsync(context, FaultApi.Ollama));
    }

    /// <summary>The address of its Ollama interface.</summary>
    public Uri Root => new(_app.Urls.First());

    /// <summary>The address of its OpenAI-compatible interface.</summary>
    public Uri Address => new(Root, "/v1");

    /// <summary>How often each key was asked.</summary>
    public IReadOnlyDictionary<string, int> Asked => _asked;

    /// <summary>How often each key was answered to the end.</summary>
    public IReadOnlyDictionary<string, int> Answered => _answered;

    /// <summary>How often each fault was given; <see cref="Fault.None"/> counts the answers that were begun.</summary>
    public IReadOnlyDictionary<Fault, int> Given => _given;

    /// <summary>Every call, in the order in which they came.</summary>
    public IReadOnlyCollection<FaultRequest> Requests => _requests;

    /// <summary>Most calls that were in flight at a time.</summary>
    public int MostInFlight => _mostInFlight;

    /// <summary>Starts a server on a free port.</summary>
    public static async Task<FaultServer> StartAsync(FaultServerOptions? options = null)
    {
        var server = new FaultServer(options ?? new());
        await server._app.StartAsync().ConfigureAwait(false);
        return server;
    }

    /// <summary>Stops it, with the calls that are still open.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync().ConfigureAwait(false);
        try
        {
            await _app.StopAsync(now.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // it did not wait for open calls, as asked
        }

        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private async Task HandleAsync(HttpContext context, FaultApi api)
    {
        var now = Interlocked.Increment(ref _inFlight);
        for (var most = _mostInFlight; now > most; most = _mostInFlight) Interlocked.CompareExchange(ref _mostInFlight, now, most);
        try
        {
            await AnswerAsync(context, api).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // the client has left
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    private async Task AnswerAsync(HttpContext context, FaultApi api)
    {
        var (response, gone) = (context.Response, context.RequestAborted);
        if (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: gone).ConfigureAwait(false) is not JsonObject body)
        {
            response.StatusCode = 400;
            return;
        }

        var key = Key(body);
        var request = new FaultRequest(api, key, _asked.AddOrUpdate(key, 1, (_, count) => count + 1), body, context.Request.Headers.Authorization);
        _requests.Enqueue(request);
        if (_options.RequiredKey is { } required && request.Authorization != $"Bearer {required}")
        {
            await ErrorAsync(response, 401, $"Incorrect API key provided: {request.Authorization}", gone).ConfigureAwait(false);
            return;
        }

        var fault = _options.Plan(request);
        _given.AddOrUpdate(fault, 1, (_, count) => count + 1);
        if (_options.Latency > TimeSpan.Zero) await Task.Delay(_options.Latency, gone).ConfigureAwait(false);
        if (_options.RetryAfter is not null && fault is Fault.TooManyRequests or Fault.Unavailable) response.Headers.RetryAfter = _options.RetryAfter;
        switch (fault)
        {
            case Fault.TooManyRequests: await ErrorAsync(response, 429, "too many requests", gone).ConfigureAwait(false); return;
            case Fault.Unavailable: await ErrorAsync(response, 503, "busy", gone).ConfigureAwait(false); return;
            case Fault.ServerError: await ErrorAsync(response, 500, "broken", gone).ConfigureAwait(false); return;
            case Fault.Reset: context.Abort(); return;
            case Fault.Garbage: await response.WriteAsync("<html>data: {\"choices\": [{\"mess</html>\n\ndata: {\"choices\": [{]}\n\n", gone).ConfigureAwait(false); return;
            case Fault.WrongShape:
                response.ContentType = "application/json";
                await response.WriteAsync("{\"choices\":[]}\n", gone).ConfigureAwait(false);
                return;
        }

        var reply = _options.AnswerAsync is { } answer ? await answer(request, gone).ConfigureAwait(false) : _options.Answer(request);
        var model = (string?)body["model"] ?? "model";
        var stream = (bool?)body["stream"] ?? false;
        var parts = stream ? Frames(api, ReplyWriter.Pieces(api, _options.Dialect, model, reply, _options.PieceLength)) : [ReplyWriter.Whole(api, _options.Dialect, model, reply).ToJsonString()];
        response.ContentType = !stream ? "application/json" : api == FaultApi.Ollama ? "application/x-ndjson" : "text/event-stream";
        if (fault == Fault.None) await WriteWholeAsync(response, key, parts, stream, gone).ConfigureAwait(false);
        else await WriteHalfAsync(context, fault, parts, stream).ConfigureAwait(false);
    }

    private async Task WriteWholeAsync(HttpResponse response, string key, List<string> parts, bool stream, CancellationToken gone)
    {
        if (!stream) response.ContentLength = Encoding.UTF8.GetByteCount(parts[0]);
        foreach (var part in parts.SkipLast(1))
        {
            await response.WriteAsync(part, gone).ConfigureAwait(false);
            await response.Body.FlushAsync(gone).ConfigureAwait(false);
        }

        // Counted before the client can know of it, so that whoever has the reply also finds it counted.
        _answered.AddOrUpdate(key, 1, (_, count) => count + 1);
        try
        {
            await response.WriteAsync(parts[^1], gone).ConfigureAwait(false);
            await response.CompleteAsync().ConfigureAwait(false);
        }
        catch
        {
            _answered.AddOrUpdate(key, 0, (_, count) => count - 1);
            throw;
        }
    }

    private static async Task WriteHalfAsync(HttpContext context, Fault fault, List<string> parts, bool stream)
    {
        var (response, gone) = (context.Response, context.RequestAborted);
        // The first half, of a stream in whole events, as when a proxy ends it.
        if (!stream) await response.WriteAsync(parts[0][..(parts[0].Length / 2)], gone).ConfigureAwait(false);
        foreach (var part in stream ? parts.Take(parts.Count / 2) : []) await response.WriteAsync(part, gone).ConfigureAwait(false);
        await response.Body.FlushAsync(gone).ConfigureAwait(false);
        if (fault == Fault.SlowDrip) await Task.Delay(Timeout.Infinite, gone).ConfigureAwait(false);
        else if (!stream) context.Abort();
    }

    private static List<string> Frames(FaultApi api, IEnumerable<string> pieces) => [.. pieces.Select(piece => api == FaultApi.Ollama ? piece + "\n" : $"data: {piece}\n\n")];

    private static async Task ErrorAsync(HttpResponse response, int status, string message, CancellationToken gone)
    {
        response.StatusCode = status;
        response.ContentType = "application/json";
        await response.WriteAsync(JsonSerializer.Serialize(new { error = new { message, code = status.ToString(CultureInfo.InvariantCulture) } }), gone).ConfigureAwait(false);
    }

    private static string Key(JsonObject body)
    {
        var asked = (JsonObject)body.DeepClone();
        asked.Remove("stream");
        asked.Remove("stream_options");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(asked.ToJsonString())));
    }
}
