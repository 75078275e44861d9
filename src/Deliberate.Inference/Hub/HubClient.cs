using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Deliberate.Inference.Files;

namespace Deliberate.Inference.Hub;

/// <summary>A file that a hub lists.</summary>
/// <param name="Name">Its path in the repository.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Sha256">Hash of a file in large-file storage; null for others.</param>
internal sealed record HubFile(string Name, long Size, string? Sha256);

/// <summary>
/// The requests of a hub's interface (https://huggingface.co/docs/hub/api). Redirects are followed by hand, so that the token goes to the
/// hub alone. What is worth trying again is an <see cref="HttpRequestException"/>.
/// </summary>
internal sealed class HubClient : IDisposable
{
    private const int MaxRedirects = 5;
    private const int MaxList = 50_000_000;

    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(15);

    private readonly HubOptions _options;
    private readonly HttpClient _http;

    public HubClient(HubOptions options)
    {
        if (!IsAllowed(options.Endpoint)) throw new HubException($"{options.Endpoint.Host} is not an https address; HF_ENDPOINT must be one (http is for this machine alone).");
        if (options.Token is { } token && !token.All(letter => letter is > ' ' and <= '~')) throw new HubException("HF_TOKEN holds a space or another character that no token has; set it anew.");
        _options = options;
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None, UseCookies = false, ConnectTimeout = options.Silence < LongestConnect ? options.Silence : LongestConnect })
        {
            Timeout = options.Silence,
            MaxResponseContentBufferSize = MaxList,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new("deliberate", "1"));
        _http.DefaultRequestHeaders.AcceptEncoding.Add(new("identity"));
    }

    /// <summary>The commit of a revision and its files.</summary>
    public async Task<(string Commit, IReadOnlyList<HubFile> Files)> ListAsync(HubReference model, CancellationToken cancel)
    {
        using var answer = await SendAsync(HttpMethod.Get, $"api/models/{model.Owner}/{model.Name}/revision/{Uri.EscapeDataString(model.Revision)}?blobs=true", 0, model, HttpCompletionOption.ResponseContentRead, cancel);
        try
        {
            using var document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancel));
            var commit = document.RootElement.GetProperty("sha").GetString();
            if (commit is not { Length: 40 } || !commit.All(char.IsAsciiHexDigitLower)) throw new FormatException("'sha' is no commit.");
            return (commit, [.. document.RootElement.GetProperty("siblings").EnumerateArray().Select(File)]);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new HubException($"{model}: the hub's list of files cannot be read: {OneLine.Of(error.Message)}", error);
        }
    }

    /// <summary>The name of a file's content: its ETag without quotes, fit to be the name of a file.</summary>
    public async Task<string> EtagAsync(HubReference model, string commit, string file, CancellationToken cancel)
    {
        using var answer = await SendAsync(HttpMethod.Head, PathOf(model, commit, file), 0, model, HttpCompletionOption.ResponseHeadersRead, cancel);
        var etag = Etag(answer.Headers)?.Replace("W/", "", StringComparison.Ordinal).Trim('"');
        return etag is { Length: > 0 and <= 128 } && etag.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_') ? etag
            : throw new HubException($"{model}: the hub names no usable ETag for '{file}'.");
    }

    /// <summary>Opens a file; asks for its bytes from <paramref name="from"/> on.</summary>
    public Task<HttpResponseMessage> OpenAsync(HubReference model, string commit, string file, long from, CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, PathOf(model, commit, file), from, model, HttpCompletionOption.ResponseHeadersRead, cancel);

    public void Dispose() => _http.Dispose();

    private static HubFile File(JsonElement file) => new(
        file.GetProperty("rfilename").GetString() ?? "",
        file.TryGetProperty("size", out var size) && size.ValueKind == JsonValueKind.Number ? size.GetInt64() : -1,
        file.TryGetProperty("lfs", out var lfs) && lfs.ValueKind == JsonValueKind.Object ? lfs.GetProperty("sha256").GetString() : null);

    private static string PathOf(HubReference model, string commit, string file) => $"{model.Owner}/{model.Name}/resolve/{commit}/{Uri.EscapeDataString(file)}";

    private static bool IsAllowed(Uri address) => address.Scheme == "https" || (address.Scheme == "http" && address.IsLoopback);

    private static string? Etag(HttpResponseHeaders headers) => headers.TryGetValues("X-Linked-Etag", out var linked) ? linked.First() : headers.ETag?.Tag;

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, long from, HubReference model, HttpCompletionOption completion, CancellationToken cancel)
    {
        var address = new Uri($"{_options.Endpoint.ToString().TrimEnd('/')}/{path}");
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = new HttpRequestMessage(method, address);
            if (from > 0) request.Headers.Range = new(from, null);
            var isHub = Uri.Compare(address, _options.Endpoint, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;
            if (isHub && _options.Token is { } token) request.Headers.Authorization = new("Bearer", token);
            var answer = await _http.SendAsync(request, completion, cancel);
            if ((int)answer.StatusCode is >= 300 and < 400 && answer.Headers.Location is { } location)
            {
                // The hub itself says what a file is; where it is kept does not. A redirect without an ETag is to a renamed model.
                if (method == HttpMethod.Head && Etag(answer.Headers) is not null) return answer;
                answer.Dispose();
                if (!Uri.TryCreate(address, location, out var next) || !IsAllowed(next) || (next.Scheme == "http" && _options.Endpoint.Scheme != "http"))
                    throw new HubException($"{model}: {address.Host} sends to an address that is not https; it is not followed.");
                address = next;
                continue;
            }

            if (answer.IsSuccessStatusCode) return answer;
            using (answer) throw isHub ? Refused(answer.StatusCode, model) : Busy(answer.StatusCode, address.Host);
        }

        throw new HubException($"{model}: the hub redirects more than {MaxRedirects} times.");
    }

    private Exception Refused(HttpStatusCode status, HubReference model)
    {
        var host = _options.Endpoint.Host;
        var page = $"{_options.Endpoint.ToString().TrimEnd('/')}/{model.Owner}/{model.Name}";
        return (int)status switch
        {
            // The hub also says this of a model that does not exist.
            401 when _options.Token is null => new HubException($"{model}: {host} refuses access (401): check the name; for a private or gated model set HF_TOKEN."),
            401 => new HubException($"{model}: {host} refuses access (401): check the name, and that HF_TOKEN is valid and may read this model."),
            403 => new HubException($"{model}: {host} refuses access (403): accept the model's terms on {page}{(_options.Token is null ? " and set HF_TOKEN" : "; HF_TOKEN must belong to that account")}."),
            404 => new HubException($"{model}: {host} has no such model, revision or file (404): check the name and what stands after '@'."),
            408 or 429 or >= 500 => Busy(status, host),
            var code => new HubException(string.Create(CultureInfo.InvariantCulture, $"{model}: {host} answers {code}.")),
        };
    }

    private HttpRequestException Busy(HttpStatusCode status, string host) => new(string.Create(CultureInfo.InvariantCulture,
        $"{host} answers {(int)status}{((int)status == 429 ? $" (too many requests{(_options.Token is null ? "; with HF_TOKEN more are allowed" : "")})" : "")}"), null, status);
}
