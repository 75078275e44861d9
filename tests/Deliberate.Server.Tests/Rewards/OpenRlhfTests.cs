using System.Net;
using System.Text;
using System.Text.Json;
using Deliberate.Conversations;
using Deliberate.Judging;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

public class OpenRlhfTests
{
    private const string Prompt = "<|im_start|>system\nYou are a librarian.<|im_end|>\n<|im_start|>user\nHow do I prune a rose?<|im_end|>\n<|im_start|>assistant\n";
    private const string Response = "<think>\nClause G1 allows it.\n</think>\n\nCut above a bud in March.<|im_end|>";

    [Theory]
    [InlineData("/reward")]
    [InlineData("/get_reward")]
    public async Task The_request_of_the_client_is_answered_byte_for_byte(string path)
    {
        var judge = new ScriptedJudge(0.75);
        await using var host = await RewardHost.StartAsync(judge);
        // As aiohttp writes it: spaces behind separators, characters outside of ASCII escaped.
        var body = "{\"query\": [\"<|im_start|>user\\nWie schneide ich Ros\\u00e9n?<|im_end|>\\n<|im_start|>assistant\\n<think>\\nG1.\\n</think>\\n\\n\\u00dcber einem Auge.<|im_end|>\"], "
            + "\"prompts\": [\"<|im_start|>user\\nWie schneide ich Ros\\u00e9n?<|im_end|>\\n<|im_start|>assistant\\n\"], \"labels\": [\"gardens\"]}";
        var (status, reply) = await host.PostAsync(path, body);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("""{"rewards":[0.75],"scores":[0.75],"extra_logs":{"judge_runs_scored":[1.0],"judge_runs_unscored":[0.0],"malformed":[0.0]}}""", reply);
        var (view, spec, _) = Assert.Single(judge.Seen);
        Assert.Equal(Conversation.FromUser("Wie schneide ich Rosén?"), view.Conversation);
        Assert.Equal("Über einem Auge.", view.Answer);
        Assert.Equal("gardens", spec.Category);
    }

    [Fact]
    public async Task Several_items_come_back_in_their_order()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge((view, _) => new(double.Parse(view.Answer, System.Globalization.CultureInfo.InvariantCulture), "")));
        var scores = Enumerable.Range(0, 100).Select(number => number / 100.0).ToArray();
        var (_, reply) = await host.PostAsync("/reward", RewardHost.Reward([.. scores.Select(score => (FormattableString.Invariant($"{Prompt}{score}<|im_end|>"), Prompt, (string?)null))]));
        using var json = JsonDocument.Parse(reply);
        Assert.Equal(scores, json.RootElement.GetProperty("rewards").EnumerateArray().Select(number => number.GetDouble()));
    }

    [Fact]
    public async Task A_malformed_completion_earns_nought_without_being_judged()
    {
        var judge = new ScriptedJudge();
        await using var host = await RewardHost.StartAsync(judge);
        var (status, reply) = await host.PostAsync("/reward", RewardHost.Reward(($"{Prompt}<think>\nI never stop thinking", Prompt, null)));
        Assert.Equal((HttpStatusCode.OK, """{"rewards":[0.0],"scores":[0.0],"extra_logs":{"judge_runs_scored":[0.0],"judge_runs_unscored":[0.0],"malformed":[1.0]}}"""), (status, reply));
        Assert.Empty(judge.Seen);
    }

    [Fact]
    public async Task An_item_without_score_is_status_503_so_that_the_reward_stays_None()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge((_, _) => Verdict.Unscored(VerdictKinds.Unparsable, "SECRET-REASON")));
        var (status, reply) = await host.PostAsync("/reward", RewardHost.Reward((Prompt + Response, Prompt, null)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("""{"error":{"type":"unscored","message":"no score: the judge's reply holds no verdict that can be read"}}""", reply);
    }

    [Fact]
    public async Task An_item_without_score_among_others_is_null()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge((view, _) => view.Answer == "bad" ? Verdict.Unscored(VerdictKinds.Truncated, "") : new(0.5, "")));
        var (status, reply) = await host.PostAsync("/reward", RewardHost.Reward(($"{Prompt}good", Prompt, null), ($"{Prompt}bad", Prompt, null)));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.StartsWith("""{"rewards":[0.5,null],"scores":[0.5,null],""", reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_judge_out_of_reach_is_no_zero()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge { Failure = new InvalidOperationException("SECRET") });
        var (status, reply) = await host.PostAsync("/reward", RewardHost.Reward((Prompt + Response, Prompt, null)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("the call to the judge failed", reply, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", reply, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gardens", "gardens")]
    [InlineData("Gardens", "gardens")]
    [InlineData("{\"id\":\"p1\",\"policyHash\":\"0\",\"category\":\"locks\"}", "locks")]
    [InlineData("{\"id\":\"p1\"}", null)]
    [InlineData("none", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public async Task The_label_names_the_category(string? label, string? category)
    {
        var judge = new ScriptedJudge();
        await using var host = await RewardHost.StartAsync(judge);
        await host.PostAsync("/reward", RewardHost.Reward((Prompt + Response, Prompt, label)));
        Assert.Equal(category, Assert.Single(judge.Seen).Spec.Category);
    }

    [Fact]
    public async Task Without_a_label_the_default_category_counts()
    {
        var judge = new ScriptedJudge();
        await using var host = await RewardHost.StartAsync(judge, new() { DefaultCategory = "Locks" });
        await host.PostAsync("/reward", RewardHost.Reward((Prompt + Response, Prompt, null)));
        Assert.Equal("locks", Assert.Single(judge.Seen).Spec.Category);
    }

    [Theory]
    [InlineData("""{"query":["a"],"prompts":["a"],"labels":["kitchens"]}""", 422, "labels[0]", "known are gardens, locks")]
    [InlineData("""{"query":["a b"],"prompts":["c"],"labels":[null]}""", 400, "query[0]", "does not begin with prompts[0]")]
    [InlineData("""{"query":["a"],"prompts":[],"labels":[]}""", 400, "prompts", "0 prompts do not fit 1 queries")]
    [InlineData("""{"query":["a"],"prompts":["a"],"labels":["x","y"]}""", 400, "labels", "2 labels do not fit 1 queries")]
    [InlineData("""{"query":[null],"prompts":["a"]}""", 400, "query[0]", "missing or null")]
    [InlineData("""{"prompts":["a"]}""", 400, "query", "missing or null")]
    [InlineData("""{"query":["a"]}""", 400, "prompts", "missing or null")]
    [InlineData("""{"query":"a","prompts":["a"]}""", 400, "query", "not the JSON that this address takes")]
    [InlineData("""{"query":["a"],"prompts":["a"],"labels":["{oops"]}""", 400, "labels[0]", "begins like a JSON object")]
    [InlineData("""{"query":["\ud800"],"prompts":["a"]}""", 400, null, "not the JSON that this address takes")]
    [InlineData("""{"query":["a"]""", 400, null, "not the JSON that this address takes")]
    [InlineData("null", 400, null, "null")]
    [InlineData("", 400, null, "not the JSON that this address takes")]
    public async Task What_is_wrong_is_said_in_one_line(string body, int status, string? field, string message)
    {
        var judge = new ScriptedJudge();
        await using var host = await RewardHost.StartAsync(judge);
        var (given, reply) = await host.PostAsync("/reward", body);
        Assert.Equal(status, (int)given);
        using var json = JsonDocument.Parse(reply);
        var error = json.RootElement.GetProperty("error");
        Assert.Equal("invalid_request", error.GetProperty("type").GetString());
        Assert.Contains(message, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.GetProperty("message").GetString()!);
        if (field is not null) Assert.Equal(field, error.GetProperty("param").GetString());
        Assert.Empty(judge.Seen);
    }

    [Fact]
    public async Task Limits_are_kept()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge(), new() { MaxItems = 2, MaxBodyBytes = 2000 });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await host.PostAsync("/reward", RewardHost.Reward(("a", "a", null), ("a", "a", null), ("a", "a", null)))).Status);
        var (status, reply) = await host.PostAsync("/reward", RewardHost.Reward((new string('a', 3000), "a", null)));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("longer than the server takes", reply, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("/reward", RewardHost.Reward(("a b", "a", null), ("a c", "a", null)))).Status);
    }

    [Fact]
    public async Task Only_JSON_with_a_key_is_taken()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge());
        using var plain = new HttpRequestMessage(HttpMethod.Post, "/reward") { Content = new StringContent(RewardHost.Reward(("a b", "a", null)), Encoding.UTF8, "text/plain") };
        using var refused = await host.SendAsync(plain);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, refused.StatusCode);
        foreach (var path in new[] { "/reward", "/get_reward", "/score", "/seed_session", "/verify", "/metrics" })
        {
            using var keyless = new HttpRequestMessage(path == "/metrics" ? HttpMethod.Get : HttpMethod.Post, path) { Headers = { Authorization = new("Bearer", "another") } };
            using var denied = await host.SendAsync(keyless);
            Assert.Equal(HttpStatusCode.Unauthorized, denied.StatusCode);
        }
    }
}
