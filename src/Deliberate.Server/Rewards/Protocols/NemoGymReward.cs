using System.Runtime.InteropServices;
using System.Text.Json;
using Deliberate.Conversations;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Rewards.Protocols;

/// <summary>
/// A resources server of NeMo Gym (<c>nemo_gym/base_resources_server.py</c>): <c>/seed_session</c> has nothing to set up, <c>/verify</c> gives the row back with
/// its reward. Only messages are judged, never items of reasoning. An item without a score is a failed judge in Gym's own words (<c>nemo_gym/judge.py</c>),
/// which puts the row aside and tries it again; the reward of 0 that its schema demands does not count then.
/// </summary>
internal sealed class NemoGymReward(RewardScorer scorer)
{
    private const string Protocol = "nemo-gym";

    // What the reply says, whatever the request says of it.
    private static readonly HashSet<string> Written = ["reward", "reward_components", "mask_sample", "failure_reason", "_ng_failure_class", "_ng_failure_judge_error"];

    public static async Task SeedAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        if (body.RootElement.ValueKind != JsonValueKind.Object) throw new RewardRequestException(StatusCodes.Status400BadRequest, "the body must be an object");
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, 0, static (json, _) =>
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task VerifyAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var outcome = (await RewardRoute.ScoreAsync(scorer, [Query(body.RootElement)], Protocol, context).ConfigureAwait(false))[0];
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, (Row: body.RootElement, Outcome: outcome), static (json, state) => Write(json, state.Row, state.Outcome)).ConfigureAwait(false);
    }

    private RewardQuery Query(JsonElement row)
    {
        if (row.ValueKind != JsonValueKind.Object) throw new RewardRequestException(StatusCodes.Status400BadRequest, "the body must be an object");
        foreach (var member in row.EnumerateObject()) CheckName(member);
        var input = Member(Member(row, "responses_create_params", "", JsonValueKind.Object), "input", "responses_create_params.", JsonValueKind.String, JsonValueKind.Array);
        var response = Member(row, "response", "", JsonValueKind.Object);
        var output = Member(response, "output", "response.", JsonValueKind.Array);
        var turns = input.ValueKind == JsonValueKind.String ? [new Turn(Role.User, Fields.Text(input, "responses_create_params.input"))] : Fields.Turns(input, "responses_create_params.input");
        var said = Fields.Turns(output, "response.output");
        // The answer is the last message; what was said and called before it belongs to the conversation.
        var answered = said.Count > 0 && said[^1].Role == Role.Assistant && LastType(output) is null or "message";
        for (var i = 0; i < said.Count - (answered ? 1 : 0); i++) turns.Add(said[i]);
        var cut = !answered || Fields.Optional(response, "status", "response.status") is "incomplete" || response.TryGetProperty("incomplete_details", out var details) && details.ValueKind == JsonValueKind.Object;
        var completion = RenderedChat.ReadResponse(answered ? said[^1].Text : "", truncated: cut);
        if (completion.Thinking.Length == 0 && HasReasoning(output)) completion = completion with { Thinking = "(apart)" };
        return new(new(turns), completion, Fields.Category(row, scorer, "") ?? (row.TryGetProperty("metadata", out var metadata) ? Fields.Category(metadata, scorer, "metadata.") : null));
    }

    // What cannot be read cannot be given back.
    private static void CheckName(JsonProperty member)
    {
        try
        {
            _ = member.Name;
        }
        catch (InvalidOperationException)
        {
            throw new RewardRequestException(StatusCodes.Status400BadRequest, "the name of a field holds half of a surrogate pair, which is no character");
        }
    }

    private static string? LastType(JsonElement output)
    {
        string? last = null;
        foreach (var item in output.EnumerateArray()) last = Fields.Optional(item, "type", "response.output");
        return last;
    }

    private static bool HasReasoning(JsonElement output)
    {
        foreach (var item in output.EnumerateArray())
            if (Fields.Optional(item, "type", "response.output") is "reasoning") return true;
        return false;
    }

    private static JsonElement Member(JsonElement json, string name, string place, params ReadOnlySpan<JsonValueKind> kinds) =>
        json.TryGetProperty(name, out var value) && kinds.Contains(value.ValueKind) ? value
        : throw new RewardRequestException(StatusCodes.Status400BadRequest, "the field is missing or of the wrong kind", place + name);

    private static void Write(Utf8JsonWriter json, JsonElement row, Outcome outcome)
    {
        json.WriteStartObject();
        foreach (var member in row.EnumerateObject())
        {
            if (Written.Contains(member.Name)) continue;
            json.WritePropertyName(member.Name);
            // As it came, to the byte: the row is the client's.
            json.WriteRawValue(JsonMarshal.GetRawUtf8Value(member.Value), skipInputValidation: true);
        }

        json.WritePropertyName("reward");
        JsonReply.WriteFloat(json, outcome.Score ?? 0);
        if (outcome.Score is { } score)
        {
            // The same names for every row: Gym's objectives must not change within an environment.
            json.WriteStartObject("reward_components");
            json.WritePropertyName("judge");
            JsonReply.WriteFloat(json, score);
            json.WritePropertyName("format");
            JsonReply.WriteFloat(json, outcome.Malformed is null ? 1 : 0);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("_ng_failure_class", "judge_failed");
            json.WriteString("_ng_failure_judge_error", outcome.Explanation);
            json.WriteBoolean("mask_sample", true);
            json.WriteString("failure_reason", outcome.Explanation);
        }

        json.WriteEndObject();
    }
}
