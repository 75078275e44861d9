using System.Net;
using System.Text.Json;
using Deliberate.Conversations;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

public class NemoGymTests
{
    // A row as an agent of Gym sends it: parameters, the Responses object and the row's own fields, which all come back.
    private const string Row = """
        "responses_create_params": {"input": [{"role": "system", "content": "You are a librarian."}, {"role": "user", "content": [{"type": "input_text", "text": "How do I prune a rose?"}]}], "temperature": 1.0, "max_output_tokens": 4096},
        "response": {"id": "resp_1", "object": "response", "status": "completed", "model": "policy", "output": [
          {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "SECRET clause G1"}], "content": [{"type": "reasoning_text", "text": "SECRET"}], "encrypted_content": "SECRET"},
          {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Cut above a bud.", "annotations": []}]}],
          "usage": {"input_tokens": 20, "output_tokens": 1e2}},
        "category": "gardens", "big": 12345678901234567890, "odd": "\u00e9\ud800", "reward": 9
        """;

    [Fact]
    public async Task Seeding_a_session_needs_nothing()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge());
        Assert.Equal((HttpStatusCode.OK, "{}"), await host.PostAsync("/seed_session", $"{{{Row}}}"));
        Assert.Equal((HttpStatusCode.OK, "{}"), await host.PostAsync("/seed_session", "{}"));
        Assert.Equal(HttpStatusCode.BadRequest, (await host.PostAsync("/seed_session", "[]")).Status);
    }

    [Fact]
    public async Task A_row_comes_back_as_it_was_with_its_reward()
    {
        var judge = new ScriptedJudge(0.5);
        await using var host = await RewardHost.StartAsync(judge);
        var (status, reply) = await host.PostAsync("/verify", $"{{{Row}}}");
        Assert.Equal(HttpStatusCode.OK, status);
        using var sent = JsonDocument.Parse($"{{{Row}}}");
        using var given = JsonDocument.Parse(reply);
        foreach (var member in sent.RootElement.EnumerateObject().Where(member => member.Name != "reward"))
            Assert.Equal(member.Value.GetRawText(), given.RootElement.GetProperty(member.Name).GetRawText());
        Assert.EndsWith(""","reward":0.5,"reward_components":{"judge":0.5,"format":1.0}}""", reply, StringComparison.Ordinal);
        Assert.Single(given.RootElement.EnumerateObject(), member => member.Name == "reward");
        var (view, spec, _) = Assert.Single(judge.Seen);
        Assert.Equal(new Conversation([new(Role.System, "You are a librarian."), new(Role.User, "How do I prune a rose?")]), view.Conversation);
        Assert.Equal(("Cut above a bud.", "gardens"), (view.Answer, spec.Category));
    }

    [Fact]
    public async Task A_judge_that_fails_is_a_failure_of_its_own_class()
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge { Failure = new TimeoutException("SECRET-OF-THE-JUDGE") });
        var (status, reply) = await host.PostAsync("/verify", $"{{{Row}}}");
        Assert.Equal(HttpStatusCode.OK, status);
        using var given = JsonDocument.Parse(reply);
        Assert.Equal("judge_failed", given.RootElement.GetProperty("_ng_failure_class").GetString());
        Assert.Equal("the call to the judge failed", given.RootElement.GetProperty("_ng_failure_judge_error").GetString());
        Assert.True(given.RootElement.GetProperty("mask_sample").GetBoolean());
        Assert.Equal(0, given.RootElement.GetProperty("reward").GetDouble());
        Assert.False(given.RootElement.TryGetProperty("reward_components", out _));
        Assert.DoesNotContain("SECRET-OF-THE-JUDGE", reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_said_and_called_before_the_last_message_belongs_to_the_conversation()
    {
        var judge = new ScriptedJudge();
        await using var host = await RewardHost.StartAsync(judge);
        await host.PostAsync("/verify", """
            {"responses_create_params": {"input": "Which roses are in flower?"}, "response": {"output": [
              {"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "<think>SECRET</think>Let me look."}]},
              {"type": "function_call", "name": "look", "arguments": "{}", "call_id": "c1"}, {"type": "function_call_output", "call_id": "c1", "output": "Two of them."},
              {"type": "reasoning", "summary": []}, {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "SECRET</think>Two."}]}]}}
            """);
        var (view, _, _) = Assert.Single(judge.Seen);
        Assert.Equal(new Conversation([new(Role.User, "Which roses are in flower?"), new(Role.Assistant, "Let me look."), new(Role.Tool, "Two of them.")]), view.Conversation);
        Assert.Equal("Two.", view.Answer);
    }

    [Theory]
    [InlineData("""{"output":[{"type":"reasoning","summary":[]}]}""")]
    [InlineData("""{"output":[]}""")]
    [InlineData("""{"output":[{"type":"message","role":"assistant","content":"Hm."},{"type":"function_call","name":"look","arguments":"{}"}]}""")]
    [InlineData("""{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"message","role":"assistant","content":"Cut abo"}]}""")]
    public async Task A_response_without_a_finished_answer_earns_nought(string response)
    {
        var judge = new ScriptedJudge();
        await using var host = await RewardHost.StartAsync(judge);
        var (_, reply) = await host.PostAsync("/verify", $$"""{"responses_create_params":{"input":"a"},"response":{{response}}}""");
        Assert.EndsWith(""","reward":0.0,"reward_components":{"judge":0.0,"format":0.0}}""", reply, StringComparison.Ordinal);
        Assert.Empty(judge.Seen);
    }

    [Fact]
    public async Task A_refusal_is_an_answer()
    {
        var judge = new ScriptedJudge((view, _) => new(view.Answer == "Sorry." ? 1 : 0, ""));
        await using var host = await RewardHost.StartAsync(judge);
        var (_, reply) = await host.PostAsync("/verify", """{"responses_create_params":{"input":"a"},"response":{"output":[{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"Sorry."}]}]},"metadata":{"category":"locks"}}""");
        Assert.Contains("\"reward\":1.0,", reply, StringComparison.Ordinal);
        Assert.Equal("locks", Assert.Single(judge.Seen).Spec.Category);
    }

    [Theory]
    [InlineData("""[]""", 400, null)]
    [InlineData("""{"response":{"output":[]}}""", 400, "responses_create_params")]
    [InlineData("""{"responses_create_params":{},"response":{"output":[]}}""", 400, "responses_create_params.input")]
    [InlineData("""{"responses_create_params":{"input":"a"}}""", 400, "response")]
    [InlineData("""{"responses_create_params":{"input":"a"},"response":{"output":"a"}}""", 400, "response.output")]
    [InlineData("""{"responses_create_params":{"input":"a"},"response":{"output":[5]}}""", 400, "response.output[0]")]
    [InlineData("""{"responses_create_params":{"input":"a"},"response":{"output":[{"type":"message","role":"assistant","content":"b"}]},"category":"kitchens"}""", 422, "category")]
    [InlineData("""{"responses_create_params":{"input":"\ud800"},"response":{"output":[]}}""", 400, "responses_create_params.input")]
    [InlineData("""{"\ud800":1,"responses_create_params":{"input":"a"},"response":{"output":[]}}""", 400, null)]
    public async Task What_is_wrong_is_said_in_one_line(string body, int status, string? field)
    {
        await using var host = await RewardHost.StartAsync(new ScriptedJudge());
        var (given, reply) = await host.PostAsync("/verify", body);
        Assert.Equal(status, (int)given);
        using var json = JsonDocument.Parse(reply);
        if (field is not null) Assert.Equal(field, json.RootElement.GetProperty("error").GetProperty("param").GetString());
    }
}
