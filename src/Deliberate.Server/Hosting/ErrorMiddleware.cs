using Deliberate.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Deliberate.Server.Hosting;

/// <summary>Turns what goes wrong into errors of OpenAI's shape. Neither they nor the log repeat the message of an exception that nobody expected.</summary>
internal sealed partial class ErrorMiddleware(RequestDelegate next, ILogger<ErrorMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // every request ends with a response
        catch (Exception problem)
        {
            if (problem is OperationCanceledException && context.RequestAborted.IsCancellationRequested) return;
            var error = ErrorOf(problem);
            if (error.Status >= 500) Failed(logger, context.Request.Path, problem is ModelFailedException model ? model.Kind : problem.GetType().Name);
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            context.Response.Clear();
            await error.WriteAsync(context).ConfigureAwait(false);
        }
#pragma warning restore CA1031
    }

    /// <summary>The error that a failure becomes.</summary>
    public static ApiError ErrorOf(Exception problem) => problem switch
    {
        ApiException known => known.Error,
        ModelFailedException model => ModelFailures.ErrorOf(model),
        BadHttpRequestException { StatusCode: 413 } => new(413, "invalid_request_error", "request_too_large", "The body is larger than this server takes."),
        BadHttpRequestException bad => new(bad.StatusCode, "invalid_request_error", "bad_request", "The request cannot be read."),
        OperationCanceledException => new(503, "server_error", "shutting_down", "The server is shutting down; ask again in a moment."),
        _ => new(500, "server_error", "internal_error", "The server failed."),
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} failed: {Kind}")]
    private static partial void Failed(ILogger logger, string path, string kind);
}
