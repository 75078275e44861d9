using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Deliberate.Endpoints.Wire;

/// <summary>Turns an HTTP status that is no success into an exception with a reason.</summary>
internal static class Refusals
{
    private const int MostShown = 200;

    /// <summary>The exception for a status.</summary>
    /// <param name="where">The endpoint, without any secret.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="headers">The reply's headers.</param>
    /// <param name="body">The beginning of the reply's body, from which keys have been taken out.</param>
    /// <param name="key">The variable that holds the key, or null when none was sent.</param>
    /// <param name="now">The time.</param>
    public static EndpointException Read(string where, int status, HttpResponseHeaders headers, string body, string? key, DateTimeOffset now)
    {
        var said = Said(body, out var code);
        var reason = Reason(status, code);
        var message = reason switch
        {
            // What the server says of a key may hold parts of it.
            FailureReason.RefusedKey when key is null => $"{where} wants a key ({status}): set the environment variable {Models.ApiKey.DefaultVariable}, or name another with key_env.",
            FailureReason.RefusedKey => $"{where} refuses the key in {key} ({status}): check that it is the right one for this server.",
            FailureReason.OutOfCredit => $"{where} says that the account has nothing left ({status}): add credit or use another key.",
            FailureReason.RefusedRequest when status is >= 300 and < 400 => $"{where} answers from another address ({status}), to which no prompt and no key is sent: give that address.",
            FailureReason.RefusedRequest when status == 404 => $"{where} knows no such model or path (404){said}: check the model's name and the address, which for most servers ends in /v1.",
            _ => $"{where}: {reason.Describe()} ({status}){said}",
        };
        return new(reason, message, status, RetryAfter(headers, now));
    }

    /// <summary>How long the server asks to wait: milliseconds, seconds or a date. Null when it says nothing that can be read.</summary>
    public static TimeSpan? RetryAfter(HttpResponseHeaders headers, DateTimeOffset now)
    {
        if (headers.TryGetValues("retry-after-ms", out var values) && double.TryParse(values.FirstOrDefault(), NumberStyles.Float, CultureInfo.InvariantCulture, out var ms) && ms is >= 0 and < 1e10)
            return TimeSpan.FromMilliseconds(ms);
        if (headers.RetryAfter is { Delta: { } delta }) return delta > TimeSpan.Zero ? delta : TimeSpan.Zero;
        if (headers.RetryAfter is { Date: { } date }) return date > now ? date - now : TimeSpan.Zero;
        return headers.TryGetValues("retry-after", out values) && double.TryParse(values.FirstOrDefault(), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and < 1e7
            ? TimeSpan.FromSeconds(seconds) : null;
    }

    /// <summary>A foreign text in one line of bounded length.</summary>
    public static string OneLine(string text)
    {
        var line = new StringBuilder(Math.Min(text.Length, MostShown));
        foreach (var c in text)
        {
            if (line.Length >= MostShown) return line.Append("...").ToString();
            if (!char.IsControl(c) && !char.IsWhiteSpace(c) && !char.IsSurrogate(c)) line.Append(c);
            else if (line.Length > 0 && line[^1] != ' ') line.Append(' ');
        }

        return line.ToString().TrimEnd();
    }

    /// <summary>Whether a failed request did not get as far as the server.</summary>
    public static bool IsNeverSent(HttpRequestException failure) =>
        failure.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;

    internal static FailureReason Reason(int status, string? code = null) => status switch
    {
        401 or 403 => FailureReason.RefusedKey,
        402 => FailureReason.OutOfCredit,
        429 when code is "insufficient_quota" or "billing_hard_limit_reached" => FailureReason.OutOfCredit,
        429 => FailureReason.RateLimited,
        503 or 529 => FailureReason.Overloaded,
        408 or 504 => FailureReason.Timeout,
        409 or 425 or >= 500 => FailureReason.ServerError,
        _ => FailureReason.RefusedRequest,
    };

    private static string Said(string body, out string? code)
    {
        code = null;
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            code = root.Get("error").Get("code").Text() ?? root.Get("error").Get("type").Text();
            var said = ReplyJson.Error(root) ?? root.Get("detail").Text() ?? root.Get("message").Text();
            return said is null ? "" : $": {OneLine(said)}";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return body.Length == 0 || body.AsSpan().TrimStart().StartsWith("<") ? "" : $": {OneLine(body)}";
        }
    }
}
