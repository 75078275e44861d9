using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Conversations;
using Deliberate.Endpoints.Wire;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Chat;

/// <summary>
/// A chat model behind an HTTP endpoint. Whichever way its server marks a thought, the thought comes out as <see cref="TextReasoningContent"/>
/// before the answer's <see cref="TextContent"/>. A completion that was cut, and one whose thought never ended, finish with
/// <see cref="ChatFinishReason.Length"/>. A conversation that ends with an assistant's turn is continued, where the server can do that.
/// It neither retries nor limits: that is for <see cref="Flow.FlowControlChatClient"/>.
/// </summary>
/// <remarks>
/// Thread-safe. A call fails with an <see cref="EndpointException"/> for whatever the server or the network does, with an
/// <see cref="OperationCanceledException"/> when it is cancelled, and with a <see cref="NotSupportedException"/> for what this client or the server
/// has not (tools, images, continuation). Tools aside, <see cref="ChatOptions.AdditionalProperties"/> are sent as fields of the body.
/// </remarks>
public sealed class ChatEndpoint : IChatClient
{
    private const int MostErrorBytes = 16 << 10;

    private readonly ChatEndpointOptions _options;
    private readonly HttpClient _http;
    private readonly bool _owned;
    private readonly string _where;

    /// <summary>A client for a model.</summary>
    /// <param name="options">Where the model is and how it is talked to.</param>
    /// <param name="http">The HTTP client to use, which stays the caller's; null makes one of its own, without a time limit and without following redirects.</param>
    /// <exception cref="ArgumentException">The address or the model's name cannot be used.</exception>
    public ChatEndpoint(ChatEndpointOptions options, HttpClient? http = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Model, nameof(options));
        if (!options.Address.IsAbsoluteUri || options.Address.Scheme is not ("http" or "https") || options.Address.UserInfo.Length > 0 || options.Address.Query.Length > 0)
            throw new ArgumentException("The address must be an absolute http or https address without user name, password and query.", nameof(options));
        (_options, _owned) = (options, http is null);
        _http = http ?? new(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.All, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        };
        _where = $"{options.Model} at {options.Address.GetLeftPart(UriPartial.Path)}";
    }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var format = Format();
        var (body, opened) = RequestWriter.Write(format, _options, messages, options, stream: false);
        using var reply = await SendAsync(format, body, cancellationToken).ConfigureAwait(false);
        return await Guarded(async () => await ReadWholeAsync(format, reply, opened, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var format = Format();
        var (body, opened) = RequestWriter.Write(format, _options, messages, options, stream: true);
        using var reply = await SendAsync(format, body, cancellationToken).ConfigureAwait(false);
        if (!format.StreamsLines && reply.Content.Headers.ContentType?.MediaType == "application/json")
        {
            // The server does not stream after all.
            var whole = await Guarded(async () => await ReadWholeAsync(format, reply, opened, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            foreach (var update in whole.ToChatResponseUpdates()) yield return update;
            yield break;
        }

        var splitter = new ThoughtSplitter(ReplyReader.Start(opened));
        var (end, ended) = (new Reply(), false);
        var pieces = PiecesAsync(format, reply, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var _ = pieces.ConfigureAwait(false);
        while (!ended)
        {
            try
            {
                if (!await Guarded(async () => await pieces.MoveNextAsync().ConfigureAwait(false), cancellationToken).ConfigureAwait(false)) break;
            }
            catch (EndpointException e) when (e.Reason == FailureReason.TruncatedReply && end.Finish is not null)
            {
                break; // the model had finished: what is missing is the end of the stream alone
            }

            var piece = pieces.Current;
            ended = piece.Last;
            end = end with { Finish = piece.Finish ?? end.Finish, Usage = piece.Usage ?? end.Usage, Model = piece.Model ?? end.Model, Id = piece.Id ?? end.Id };
            if (piece.Thinking.Length > 0)
            {
                foreach (var part in splitter.ThoughtIsApart()) yield return Update(end, part);
                yield return Update(end, new TextReasoningContent(piece.Thinking));
            }

            if (piece.Text.Length == 0) continue;
            foreach (var part in splitter.Add(piece.Text)) yield return Update(end, part);
        }

        if (!ended && end.Finish is null) throw new EndpointException(FailureReason.TruncatedReply, $"{_where}: the stream broke off before its end");
        foreach (var part in splitter.Finish()) yield return Update(end, part);
        var finish = ReplyReader.Finish(end, splitter.Unclosed, out var properties);
        yield return new ChatResponseUpdate(ChatRole.Assistant, end.Usage is { } usage ? [new UsageContent(usage)] : [])
        {
            ModelId = end.Model ?? _options.Model,
            ResponseId = end.Id,
            MessageId = end.Id,
            FinishReason = finish,
            AdditionalProperties = properties,
        };
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata(_options.Api == EndpointApi.Ollama ? "ollama" : "openai", _options.Address, _options.Model)
            : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_owned) _http.Dispose();
    }

    private IWireFormat Format() => _options.Api switch { EndpointApi.Responses => new ResponsesFormat(), EndpointApi.Ollama => new OllamaFormat(), _ => new CompletionsFormat() };

    private ChatResponseUpdate Update(Reply end, SplitText part) => Update(end, part.IsThought ? MarkedThought.Content(part.Text) : new TextContent(part.Text));

    private ChatResponseUpdate Update(Reply end, AIContent content) => new(ChatRole.Assistant, [content]) { ModelId = end.Model ?? _options.Model, ResponseId = end.Id, MessageId = end.Id };

    private async Task<HttpResponseMessage> SendAsync(IWireFormat format, JsonObject body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{_options.Address.AbsoluteUri.TrimEnd('/')}/{format.Path}"));
        request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        _options.Key?.Authorize(request.Headers);
        HttpResponseMessage reply;
        try
        {
            reply = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            throw new EndpointException(FailureReason.Connection, $"{_where}: no connection: {Refusals.OneLine((e.InnerException ?? e).Message)}", inner: e)
            {
                NeverSent = Refusals.IsNeverSent(e),
            };
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EndpointException(FailureReason.Timeout, $"{_where}: no reply within the HTTP client's time limit", inner: e);
        }

        if (reply.IsSuccessStatusCode) return reply;
        using (reply)
        {
            var said = Redact(await ReadErrorAsync(reply, cancellationToken).ConfigureAwait(false));
            throw Refusals.Read(_where, (int)reply.StatusCode, reply.Headers, said, _options.Key?.Variable, _options.TimeProvider.GetUtcNow());
        }
    }

    private async Task<ChatResponse> ReadWholeAsync(IWireFormat format, HttpResponseMessage reply, bool? opened, CancellationToken cancellationToken)
    {
        var stream = await reply.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var bounded = new BoundedStream(stream, _options.MaxReplyBytes);
        using var buffer = new MemoryStream();
        await bounded.CopyToAsync(buffer, cancellationToken).ConfigureAwait(false);
        return ReplyReader.Read(format, buffer.GetBuffer().AsMemory(0, (int)buffer.Length), opened, _options.Model);
    }

    private async IAsyncEnumerable<Reply> PiecesAsync(IWireFormat format, HttpResponseMessage reply, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = await reply.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var bounded = new BoundedStream(stream, _options.MaxReplyBytes);
        await foreach (var piece in StreamReading.PiecesAsync(format, bounded, cancellationToken).ConfigureAwait(false)) yield return piece;
    }

    private static async Task<string> ReadErrorAsync(HttpResponseMessage reply, CancellationToken cancellationToken)
    {
        try
        {
            var stream = await reply.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var buffer = new byte[MostErrorBytes];
            var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return Encoding.UTF8.GetString(buffer, 0, read);
        }
        catch (IOException)
        {
            return ""; // the status says enough
        }
    }

    // What goes wrong while a reply is read: says where, and keeps keys out of what the server wrote.
    private async Task<T> Guarded<T>(Func<Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (EndpointException e)
        {
            throw new EndpointException(e.Reason, Redact($"{_where}: {e.Message}"), e.StatusCode, e.RetryAfter, e.InnerException);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw new EndpointException(FailureReason.TruncatedReply, $"{_where}: the reply broke off before its end", inner: e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EndpointException(FailureReason.Timeout, $"{_where}: no whole reply within the HTTP client's time limit", inner: e);
        }
        catch (InvalidDataException e)
        {
            throw new EndpointException(FailureReason.MalformedReply, $"{_where}: the reply cannot be unpacked", inner: e);
        }
    }

    private string Redact(string text) => _options.Key?.Redact(text) ?? text;
}
