using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Rewards.Protocols;

/// <summary>What all protocols have in common: reading, and one clear line for what is wrong.</summary>
internal static class RewardRoute
{
    /// <summary>A handler that answers bad requests with an error in JSON.</summary>
    public static RequestDelegate Of(Func<HttpContext, Task> handle) => async context =>
    {
        try
        {
            if (!context.Request.HasJsonContentType())
                throw new RewardRequestException(StatusCodes.Status415UnsupportedMediaType, "the body must be JSON: send the header Content-Type: application/json");
            await handle(context).ConfigureAwait(false);
        }
        catch (RewardRequestException wrong)
        {
            await JsonReply.ErrorAsync(context, wrong.Status, "invalid_request", wrong.Message, wrong.Field).ConfigureAwait(false);
        }
        catch (BadHttpRequestException wrong)
        {
            var message = wrong.StatusCode == StatusCodes.Status413PayloadTooLarge ? "the body is longer than the server takes: send fewer items in a request or raise the limit" : "the request cannot be read";
            await JsonReply.ErrorAsync(context, wrong.StatusCode, "invalid_request", message).ConfigureAwait(false);
        }
        catch (JsonException wrong)
        {
            // The message of the exception may quote the body.
            var place = wrong.LineNumber is { } line ? $" at line {line + 1}, byte {wrong.BytePositionInLine + 1}" : "";
            await JsonReply.ErrorAsync(context, StatusCodes.Status400BadRequest, "invalid_request", $"the body is not the JSON that this address takes{place}", Known(wrong.Path)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to answer to.
        }
    };

    /// <summary>Refuses a request of too many items.</summary>
    public static void CheckCount(RewardScorer scorer, int count, string field)
    {
        if (count > scorer.Options.MaxItems)
            throw new RewardRequestException(StatusCodes.Status413PayloadTooLarge, $"{count} items are more than the {scorer.Options.MaxItems} that the server takes in a request: send several", field);
    }

    /// <summary>Scores items and keeps their order.</summary>
    public static async Task<Outcome[]> ScoreAsync(RewardScorer scorer, IReadOnlyList<RewardQuery> queries, string protocol, HttpContext context)
    {
        if (queries.Count == 1)
        {
            var scoring = scorer.ScoreAsync(queries[0], protocol);
            // A client that hangs up does not stop the judge: the verdict is kept for its next try. The token is not asked for without need; each request makes its own.
            return [scoring.IsCompleted ? await scoring.ConfigureAwait(false) : await scoring.AsTask().WaitAsync(context.RequestAborted).ConfigureAwait(false)];
        }

        var tasks = new Task<Outcome>[queries.Count];
        for (var i = 0; i < tasks.Length; i++) tasks[i] = scorer.ScoreAsync(queries[i], protocol).AsTask();
        return await Task.WhenAll(tasks).WaitAsync(context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>The status of a request none of whose items has a score, with a hint when to come again.</summary>
    public static Task UnscoredAsync(HttpContext context, Outcome outcome)
    {
        context.Response.Headers.RetryAfter = "1";
        return JsonReply.ErrorAsync(context, StatusCodes.Status503ServiceUnavailable, "unscored", $"no score: {outcome.Explanation}");
    }

    private static string? Known(string? path) => path is null ? null : path.TrimStart('$', '.') is { Length: > 0 } field && field.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '[' or ']') && field.Length <= 40 ? field : null;
}
