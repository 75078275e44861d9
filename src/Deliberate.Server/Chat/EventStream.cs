using System.Text;
using System.Text.Json.Nodes;
using Deliberate.Server.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.AI;

namespace Deliberate.Server.Chat;

/// <summary>A response of server-sent events.</summary>
internal sealed class EventStream(HttpContext context, CancellationToken cancellationToken)
{
    private bool _begun;

    /// <summary>Sends an event.</summary>
    /// <param name="data">Its data, one line.</param>
    /// <param name="type">Its type, or null.</param>
    public Task SendAsync(string data, string? type = null) => WriteAsync(Event(data, type), cancellationToken);

    /// <summary>Sends an event.</summary>
    public Task SendAsync(JsonObject data, string? type = null) => SendAsync(data.ToJsonString(), type);

    /// <summary>
    /// The updates of a model, with comments between them while it thinks, so that nothing on the way takes the connection for dead. What fails before the
    /// first of both leaves the response to whoever tells of errors.
    /// </summary>
    public async IAsyncEnumerable<ChatResponseUpdate> KeptAliveAsync(IAsyncEnumerable<ChatResponseUpdate> updates, TimeProvider time, TimeSpan every)
    {
        var source = updates.GetAsyncEnumerator(cancellationToken);
        await using var _ = source.ConfigureAwait(false);
        while (true)
        {
            var next = source.MoveNextAsync();
            if (!next.IsCompleted)
            {
                var waited = next.AsTask();
                while (true)
                {
                    using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                    var first = await Task.WhenAny(waited, Task.Delay(every, time, stop.Token)).ConfigureAwait(false);
                    await stop.CancelAsync().ConfigureAwait(false);
                    if (first == waited || cancellationToken.IsCancellationRequested) break;
                    try
                    {
                        await WriteAsync(": thinking\n\n", cancellationToken).ConfigureAwait(false);
                    }
                    catch
                    {
                        // The model's stream cannot be closed while it is being asked for more.
                        await ((Task)waited).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                        throw;
                    }
                }

                if (!await waited.ConfigureAwait(false)) yield break;
            }
            else if (!await next.ConfigureAwait(false))
            {
                yield break;
            }

            yield return source.Current;
        }
    }

    /// <summary>Tells of a failure as the last event; false when nothing was sent yet, so that the response can still have a status.</summary>
    public async Task<bool> FailAsync(Exception problem, Func<ApiError, (string Data, string? Type)> write)
    {
        if (!_begun || context.RequestAborted.IsCancellationRequested) return false;
        var (data, type) = write(ErrorMiddleware.ErrorOf(problem));
        // The token may be what ended the stream.
        await WriteAsync(Event(data, type), context.RequestAborted).ConfigureAwait(false);
        return true;
    }

    private static string Event(string data, string? type) => type is null ? $"data: {data}\n\n" : $"event: {type}\ndata: {data}\n\n";

    private async Task WriteAsync(string text, CancellationToken cancel)
    {
        Begin();
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancel).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(cancel).ConfigureAwait(false);
    }

    private void Begin()
    {
        if (_begun) return;
        _begun = true;
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
    }
}
