using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Hosting;

/// <summary>An error in OpenAI's shape: <c>{"error":{"message","type","param","code"}}</c>. Immutable.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Type">Its kind: "invalid_request_error", "server_error" and their like.</param>
/// <param name="Code">What it is about, for programs.</param>
/// <param name="Message">What is wrong and how to mend it, in one line.</param>
/// <param name="Param">The field of the request that is wrong, or null.</param>
public sealed record ApiError(int Status, string Type, string Code, string Message, string? Param = null)
{
    /// <summary>There is no key, or it is not known.</summary>
    public static ApiError InvalidKey { get; } = new(401, "invalid_request_error", "invalid_api_key", "The key is missing or not known: send it in the header 'Authorization: Bearer KEY'.");

    /// <summary>The key is known and has not the right.</summary>
    public static ApiError Forbidden(string message) => new(403, "permission_error", "insufficient_rights", message);

    /// <summary>A field of the request is wrong.</summary>
    public static ApiError Invalid(string? param, string message, string code = "invalid_value") => new(400, "invalid_request_error", code, message, param);

    /// <summary>The error as the body of a response.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(new { error = new { message = Message, type = Type, param = Param, code = Code } });

    /// <summary>Writes it as the response.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var bytes = ToBytes();
        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }
}

/// <summary>Ends a request with an error.</summary>
/// <param name="error">The error.</param>
public sealed class ApiException(ApiError error) : Exception(error.Message)
{
    /// <summary>The error.</summary>
    public ApiError Error { get; } = error;

    /// <summary>A field of the request is wrong.</summary>
    public static ApiException Invalid(string? param, string message, string code = "invalid_value") => new(ApiError.Invalid(param, message, code));
}
