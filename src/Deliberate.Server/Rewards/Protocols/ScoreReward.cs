using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Rewards.Protocols;

/// <summary>
/// The four fields that a reward function of verl gets, one object or a list of them; the shims for verl and TRL speak it. A single item without a score has
/// status 503; in a list its score is <c>null</c>, with the reason beside it.
/// </summary>
internal sealed class ScoreReward(RewardScorer scorer)
{
    private const string Protocol = "score";

    // In this order; the first that extra_info has counts.
    private static readonly string[] PromptNames = ["prompt", "messages", "raw_prompt", "question"];

    public async Task HandleAsync(HttpContext context)
    {
        if (await IsListAsync(context).ConfigureAwait(false))
        {
            var requests = await JsonBody.ReadAsync(context, RewardJson.Default.ScoreRequestArray).ConfigureAwait(false) ?? [];
            RewardRoute.CheckCount(scorer, requests.Length, "$");
            var outcomes = await RewardRoute.ScoreAsync(scorer, [.. requests.Select((request, index) => Query(request, $"[{index}]."))], Protocol, context).ConfigureAwait(false);
            await JsonReply.WriteAsync(context, StatusCodes.Status200OK, outcomes, static (json, outcomes) =>
            {
                json.WriteStartArray();
                foreach (var outcome in outcomes) Write(json, outcome);
                json.WriteEndArray();
            }).ConfigureAwait(false);
            return;
        }

        var single = await JsonBody.ReadAsync(context, RewardJson.Default.ScoreRequest).ConfigureAwait(false);
        var scored = (await RewardRoute.ScoreAsync(scorer, [Query(single, "")], Protocol, context).ConfigureAwait(false))[0];
        if (scored.Score is null) await RewardRoute.UnscoredAsync(context, scored).ConfigureAwait(false);
        else await JsonReply.WriteAsync(context, StatusCodes.Status200OK, scored, Write).ConfigureAwait(false);
    }

    private RewardQuery Query(ScoreRequest? request, string place)
    {
        if (request?.SolutionStr is not { } solution) throw new RewardRequestException(StatusCodes.Status400BadRequest, "the field is missing or null", $"{place}solution_str");
        if (request.ExtraInfo.ValueKind is not JsonValueKind.Object)
            throw new RewardRequestException(StatusCodes.Status400BadRequest, "the field must be an object that holds the prompt", $"{place}extra_info");
        foreach (var name in PromptNames)
        {
            if (!request.ExtraInfo.TryGetProperty(name, out var prompt) || prompt.ValueKind == JsonValueKind.Null) continue;
            var (conversation, opening) = Fields.Prompt(prompt, $"{place}extra_info.{name}");
            return new(conversation, RenderedChat.ReadResponse(opening + solution, scorer.Options.ThinkingOpened), Fields.Category(request.ExtraInfo, scorer, $"{place}extra_info."));
        }

        throw new RewardRequestException(StatusCodes.Status400BadRequest, $"the prompt is missing: put it into one of {string.Join(", ", PromptNames)}, as a text or a list of messages", $"{place}extra_info");
    }

    private static void Write(Utf8JsonWriter json, Outcome outcome)
    {
        json.WriteStartObject();
        json.WritePropertyName("score");
        if (outcome.Score is { } score) JsonReply.WriteFloat(json, score);
        else json.WriteNullValue();
        json.WriteBoolean("malformed", outcome.Malformed is not null);
        json.WriteNumber("judge_runs_scored", outcome.Scored);
        json.WriteNumber("judge_runs_unscored", outcome.Unscored);
        if (outcome.Failure is not null) json.WriteString("error", outcome.Explanation);
        if (outcome is { Score: not null, Reason: { } reason }) json.WriteString("reason", reason);
        json.WriteEndObject();
    }

    // Looks at the first character without taking it.
    private static async ValueTask<bool> IsListAsync(HttpContext context)
    {
        while (true)
        {
            var read = await context.Request.BodyReader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            var (blank, list) = First(read.Buffer);
            if (!blank || read.IsCompleted)
            {
                context.Request.BodyReader.AdvanceTo(read.Buffer.Start);
                return list;
            }

            context.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }

        static (bool Blank, bool List) First(in ReadOnlySequence<byte> bytes)
        {
            foreach (var segment in bytes)
                foreach (var next in segment.Span)
                    if (next is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')) return (false, next == (byte)'[');
            return (true, false);
        }
    }
}
