using System.Net;
using System.Text.Json;
using Deliberate.Conversations;
using Deliberate.Judging;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

public class ScoreTests
{
    [Fact]
    public async Task The_four_fields_of_verl_are_answered_byte_for_byte()
    {
        var judge = new ScriptedJudge(0.25);
        await using var host = await RewardHost.StartAsync(judge);
        var (status, reply) = await host.PostAsync("/score", """
            {"data_source": "deliberate", "solution_str": "<think>\nG1.\n</think>\n\nCut above a bud.", "ground_truth": "", "extra_info": {"split": "train", "index": 7, "category": "gardens",
             "prompt": [{"role": "system", "content": "You are a librarian."}, {"role": "user", "content": "How do I prune a rose?"}], "num_turns": null, "rollout_reward_scores": {}}}
            """);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("""{"score":0.25,"malformed":false,"judge_runs_scored":1,"judge_runs_unscored":0}""", reply);
        var (view, spec, _) = Assert.Single(judge.Seen);
        Assert.Equal(new Conversation([new(Role.System, "You are a librarian."), new(Role.User, "How do I prune a rose?")]), view.Conversation);
        Assert.Equal(("Cut above a bud.", "gardens"), (view.Answer, spec.Category));
    }

    [Theory]
    [InlineData("""{"prompt":"Hello?"}""")]
    [InlineData("""{"prompt":"[{\"role\":\"user\",\"content\":\"Hello?\"}]"}""")]
    [InlineData("""{"prompt":[{"role":"user","content":[{"type":"text","text":"Hello?"}]}]}""")]
    [InlineData("""{"prompt":null,"question":"Hello?"}""")]
    [InlineData("""{"messages":[{"role":"user","content":"Hello?"}]}""")]
    [InlineData("""{"prompt":"<|im_start|>user\nHello?<|im_end|>\n<|im_start|>assistant\n<think>\n"}""")]
    public async Task The_prompt_is_found_in_extra_info(string extra)
    {
        var judge = new ScriptedJudge();
        await using var host = await RewardHost.StartAsync(judge);
        await host.PostAsync("/score", $$"""{"solution_str":"SECRET</think>Good day.","extra_info":{{extra}}}""");
        Assert.Equal((Conversation.FromUser("Hello?"), "Good day."), (Assert.Single(judge.Seen).View.Conversation, judge.Seen.First().View.Answer));
    }

    [Fact]
    public async Task A_list_comes_back_as_a_list_in_which_unscored_items_are_null()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge((view, _) => view.Answer == "bad" ? Verdict.Unscored(VerdictKinds.OutOfRange, "SECRET") : new(1, "SECRET")));
        var (status, reply) = await host.PostAsync("/score", $"  [{RewardHost.Score("good")},{RewardHost.Score("bad")},{RewardHost.Score("<think>cut")}]");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(
            """[{"score":1.0,"malformed":false,"judge_runs_scored":1,"judge_runs_unscored":0},"""
            + """{"score":null,"malformed":false,"judge_runs_scored":0,"judge_runs_unscored":1,"error":"the judge's score is not between 0 and 1"},"""
            + """{"score":0.0,"malformed":true,"judge_runs_scored":0,"judge_runs_unscored":0}]""", reply);
        Assert.Equal((HttpStatusCode.OK, "[]"), await host.PostAsync("/score", "[]"));
    }

    [Fact]
    public async Task A_single_item_without_score_is_status_503()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge((_, _) => Verdict.Unscored(VerdictKinds.TimedOut, "")));
        var (status, reply) = await host.PostAsync("/score", RewardHost.Score("good"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains("\"unscored\"", reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_the_template_opens_the_thought_a_text_without_marks_is_not_judged()
    {
        var judge = new ScriptedJudge();
        await using var host = await RewardHost.StartAsync(judge, new() { ThinkingOpened = true });
        var (_, reply) = await host.PostAsync("/score", RewardHost.Score("SECRET thoughts that were cut"));
        Assert.Contains("\"malformed\":true", reply, StringComparison.Ordinal);
        Assert.Empty(judge.Seen);
    }

    [Fact]
    public async Task Reasons_are_shown_on_request_alone()
    {
        await using var silent = await RewardHost.StartAsync(new ScriptedJudge());
        Assert.DoesNotContain("because", (await silent.PostAsync("/score", RewardHost.Score("good"))).Body, StringComparison.Ordinal);
        await using var host = await RewardHost.StartAsync(new ScriptedJudge(), new() { ShowReasons = true });
        Assert.Contains("\"reason\":\"because\"", (await host.PostAsync("/score", RewardHost.Score("good"))).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"extra_info":{"prompt":"a"}}""", 400, "solution_str")]
    [InlineData("""{"solution_str":"a"}""", 400, "extra_info")]
    [InlineData("""{"solution_str":"a","extra_info":{}}""", 400, "extra_info")]
    [InlineData("""{"solution_str":"a","extra_info":{"prompt":5}}""", 400, "extra_info.prompt")]
    [InlineData("""{"solution_str":"a","extra_info":{"prompt":[5]}}""", 400, "extra_info.prompt[0]")]
    [InlineData("""{"solution_str":"a","extra_info":{"prompt":[{"role":"robot","content":"a"}]}}""", 400, "extra_info.prompt[0].role")]
    [InlineData("""{"solution_str":"a","extra_info":{"prompt":[{"role":"user"}]}}""", 400, "extra_info.prompt[0].content")]
    [InlineData("""{"solution_str":"a","extra_info":{"prompt":"a","category":"kitchens"}}""", 422, "extra_info.category")]
    [InlineData("""{"solution_str":"a","extra_info":{"prompt":"a","category":5}}""", 400, "extra_info.category")]
    [InlineData("""[{"solution_str":"a","extra_info":{"prompt":"a"}},null]""", 400, "[1].solution_str")]
    [InlineData("""{"solution_str":"a","extra_info":{"prompt":"\udc00"}}""", 400, "extra_info.prompt")]
    [InlineData("5", 400, null)]
    [InlineData("", 400, null)]
    public async Task What_is_wrong_is_said_in_one_line(string body, int status, string? field)
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge());
        var (given, reply) = await host.PostAsync("/score", body);
        Assert.Equal(status, (int)given);
        using var json = JsonDocument.Parse(reply);
        if (field is not null) Assert.Equal(field, json.RootElement.GetProperty("error").GetProperty("param").GetString());
    }
}
