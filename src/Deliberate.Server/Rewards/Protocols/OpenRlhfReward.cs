using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Rewards.Protocols;

/// <summary>
/// OpenRLHF's remote reward (<c>openrlhf/utils/agent.py</c>): lists in, lists out. An item without a score is <c>null</c> in them; when no item has one, the
/// status is 503, upon which OpenRLHF tries again and in the end leaves the reward <c>None</c>.
/// </summary>
internal sealed class OpenRlhfReward(RewardScorer scorer)
{
    private const string Protocol = "openrlhf";

    public async Task HandleAsync(HttpContext context)
    {
        var request = await JsonBody.ReadAsync(context, RewardJson.Default.OpenRlhfRequest).ConfigureAwait(false)
            ?? throw new RewardRequestException(StatusCodes.Status400BadRequest, "the body is null");
        var outcomes = await RewardRoute.ScoreAsync(scorer, Taken(request), Protocol, context).ConfigureAwait(false);
        if (outcomes.Length > 0 && Array.TrueForAll(outcomes, static outcome => outcome.Score is null)) await RewardRoute.UnscoredAsync(context, outcomes[0]).ConfigureAwait(false);
        else await JsonReply.WriteAsync(context, StatusCodes.Status200OK, outcomes, Write).ConfigureAwait(false);
    }

    private RewardQuery[] Taken(OpenRlhfRequest request)
    {
        try
        {
            return Queries(request);
        }
        finally
        {
            foreach (var text in request.Query ?? []) text.Return();
        }
    }

    private RewardQuery[] Queries(OpenRlhfRequest request)
    {
        var (query, prompts, labels) = (Required(request.Query, "query"), Required(request.Prompts, "prompts"), request.Labels);
        RewardRoute.CheckCount(scorer, query.Length, "query");
        if (prompts.Length != query.Length) throw new RewardRequestException(StatusCodes.Status400BadRequest, $"{prompts.Length} prompts do not fit {query.Length} queries: send one for each", "prompts");
        if (labels is not null && labels.Length != query.Length) throw new RewardRequestException(StatusCodes.Status400BadRequest, $"{labels.Length} labels do not fit {query.Length} queries: send one for each or leave them out", "labels");
        var queries = new RewardQuery[query.Length];
        for (var i = 0; i < queries.Length; i++)
        {
            if (query[i].IsNull) throw Missing($"query[{i}]");
            var (conversation, completion) = RenderedChat.Read(Required(prompts[i], $"prompts[{i}]"), query[i].Text)
                ?? throw new RewardRequestException(StatusCodes.Status400BadRequest, $"the text does not begin with prompts[{i}]: send the prompt from which it was generated", $"query[{i}]");
            queries[i] = new(conversation, completion, labels is null ? null : Fields.CategoryOfLabel(labels[i], scorer, $"labels[{i}]"));
        }

        return queries;
    }

    private static T Required<T>(T? value, string field)
        where T : class => value ?? throw Missing(field);

    private static RewardRequestException Missing(string field) => new(StatusCodes.Status400BadRequest, "the field is missing or null", field);

    private static void Write(Utf8JsonWriter json, Outcome[] outcomes)
    {
        json.WriteStartObject();
        Numbers(json, "rewards", outcomes, static outcome => outcome.Score);
        Numbers(json, "scores", outcomes, static outcome => outcome.Score);
        json.WriteStartObject("extra_logs");
        // The same names for every sample, and a number for each: OpenRLHF makes tensors of them.
        Numbers(json, "judge_runs_scored", outcomes, static outcome => outcome.Scored);
        Numbers(json, "judge_runs_unscored", outcomes, static outcome => outcome.Unscored);
        Numbers(json, "malformed", outcomes, static outcome => outcome.Malformed is null ? 0 : 1);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Numbers(Utf8JsonWriter json, string name, Outcome[] outcomes, Func<Outcome, double?> value)
    {
        json.WriteStartArray(name);
        foreach (var outcome in outcomes)
            if (value(outcome) is { } number) JsonReply.WriteFloat(json, number);
            else json.WriteNullValue();
        json.WriteEndArray();
    }
}
