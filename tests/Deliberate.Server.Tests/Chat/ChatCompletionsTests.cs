using System.Net;
using System.Text.Json.Nodes;
using Deliberate.Server.Chat;
using Deliberate.Server.Hosting;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Server.Tests.Chat;

public class ChatCompletionsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<JsonNode> AskAsync(RunningServer server, string path, JsonObject body, string key = "chat", bool show = false)
    {
        var (status, text) = await server.SendAsync(HttpMethod.Post, path, key, body, show, Token);
        Assert.True(status == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    private static async Task<(HttpStatusCode Status, JsonNode Error)> RefusedAsync(RunningServer server, string path, JsonNode body, string key = "chat", bool show = false)
    {
        var (status, text) = await server.SendAsync(HttpMethod.Post, path, key, body, show, Token);
        return (status, JsonNode.Parse(text)!["error"]!);
    }

    [Fact]
    public async Task A_whole_reply_has_the_answer_and_counts_the_thought()
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", new SayingModel("zq9", "Fine.")));
        var reply = await AskAsync(server, "/v1/chat/completions", RunningServer.Chat());
        Assert.Equal(("chat.completion", "m", "Fine.", "stop"), ((string?)reply["object"], (string?)reply["model"], (string?)reply["choices"]![0]!["message"]!["content"], (string?)reply["choices"]![0]!["finish_reason"]));
        Assert.Equal((11, 7, 4), ((int?)reply["usage"]!["prompt_tokens"], (int?)reply["usage"]!["completion_tokens"], (int?)reply["usage"]!["completion_tokens_details"]!["reasoning_tokens"]));
        Assert.DoesNotContain("zq9", reply.ToJsonString(), StringComparison.Ordinal);

        var response = await AskAsync(server, "/v1/responses", RunningServer.Respond());
        Assert.Equal(("completed", "message", "Fine.", 4), ((string?)response["status"], (string?)response["output"]!.AsArray().Single()!["type"], (string?)response["output"]![0]!["content"]![0]!["text"], (int?)response["usage"]!["output_tokens_details"]!["reasoning_tokens"]));
        Assert.DoesNotContain("zq9", response.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_streamed_chat_is_made_of_chunks()
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", new SayingModel(_ => new([new TextReasoningContent("zq9"), new TextContent("One "), new TextContent("two.")]))));
        var body = RunningServer.Chat(stream: true);
        body["stream_options"] = new JsonObject { ["include_usage"] = true };
        var (_, text) = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", body, cancel: Token);
        var events = RunningServer.Events(text);
        Assert.Equal("[DONE]", events[^1]);
        var chunks = events.SkipLast(1).Select(item => JsonNode.Parse(item)!).ToList();
        Assert.All(chunks, chunk => Assert.Equal("chat.completion.chunk", (string?)chunk["object"]));
        Assert.Equal("assistant", (string?)chunks[0]["choices"]![0]!["delta"]!["role"]);
        Assert.Equal(["", "One ", "two."], chunks.SkipLast(2).Select(chunk => (string?)chunk["choices"]![0]!["delta"]!["content"]));
        Assert.Equal("stop", (string?)chunks[^2]["choices"]![0]!["finish_reason"]);
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.Equal(4, (int?)chunks[^1]["usage"]!["completion_tokens_details"]!["reasoning_tokens"]);
        Assert.DoesNotContain("zq9", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_streamed_response_is_made_of_numbered_events()
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", new SayingModel(_ => new([new TextReasoningContent("zq9"), new TextContent("One "), new TextContent("two.")]))));
        var (_, hidden) = await server.SendAsync(HttpMethod.Post, "/v1/responses", "chat", RunningServer.Respond(stream: true), cancel: Token);
        Assert.DoesNotContain("zq9", hidden, StringComparison.Ordinal);
        var events = RunningServer.Events(hidden).Select(item => JsonNode.Parse(item)!).ToList();
        Assert.Equal(
            ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
             "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"], events.Select(item => (string?)item["type"]));
        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(item => (int)item["sequence_number"]!));
        Assert.Equal("One two.", (string?)events[^1]["response"]!["output"]![0]!["content"]![0]!["text"]);

        var (_, shown) = await server.SendAsync(HttpMethod.Post, "/v1/responses", "both", RunningServer.Respond(stream: true), show: true, cancel: Token);
        var last = JsonNode.Parse(RunningServer.Events(shown)[^1])!["response"]!["output"]!.AsArray();
        Assert.Equal(["reasoning", "message"], last.Select(item => (string?)item!["type"]));
        Assert.Equal("zq9", (string?)last[0]!["content"]![0]!["text"]);
        Assert.Contains("response.reasoning_text.delta", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_thought_is_shown_to_a_key_with_the_audit_right_that_asks_for_it()
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", new SayingModel("zq9", "Fine.")));
        Assert.Equal("zq9", (string?)(await AskAsync(server, "/v1/chat/completions", RunningServer.Chat(), "both", show: true))["choices"]![0]!["message"]!["reasoning"]);
        var included = RunningServer.Chat();
        included["include"] = new JsonArray("reasoning");
        Assert.Equal("zq9", (string?)(await AskAsync(server, "/v1/chat/completions", included, "both"))["choices"]![0]!["message"]!["reasoning"]);
        Assert.DoesNotContain("zq9", (await AskAsync(server, "/v1/chat/completions", RunningServer.Chat(), "both")).ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("reasoning", (string?)(await AskAsync(server, "/v1/responses", RunningServer.Respond(), "both", show: true))["output"]![0]!["type"]);
        var (_, streamed) = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "both", RunningServer.Chat(stream: true), show: true, cancel: Token);
        Assert.Contains("\"reasoning\":\"zq9\"", streamed, StringComparison.Ordinal);

        foreach (var path in (string[])["/v1/chat/completions", "/v1/responses"])
        {
            var (status, error) = await RefusedAsync(server, path, path.EndsWith("ses", StringComparison.Ordinal) ? RunningServer.Respond() : RunningServer.Chat(), "chat", show: true);
            Assert.Equal((HttpStatusCode.Forbidden, "insufficient_rights"), (status, (string?)error["code"]));
        }
    }

    [Fact]
    public async Task A_thought_that_was_cut_leaves_an_empty_answer_that_says_length()
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", new SayingModel(_ => new([new TextContent("<think>zq9 zq")]) { Finish = ChatFinishReason.Length })));
        var choice = (await AskAsync(server, "/v1/chat/completions", RunningServer.Chat()))["choices"]![0]!;
        Assert.Equal(("", "length"), ((string?)choice["message"]!["content"], (string?)choice["finish_reason"]));
        var response = await AskAsync(server, "/v1/responses", RunningServer.Respond());
        Assert.Equal(("incomplete", "max_output_tokens"), ((string?)response["status"], (string?)response["incomplete_details"]!["reason"]));
        Assert.Empty(response["output"]!.AsArray());
        var (_, chat) = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat(stream: true), cancel: Token);
        var (_, events) = await server.SendAsync(HttpMethod.Post, "/v1/responses", "chat", RunningServer.Respond(stream: true), cancel: Token);
        Assert.Contains("\"finish_reason\":\"length\"", chat, StringComparison.Ordinal);
        Assert.Contains("event: response.incomplete", events, StringComparison.Ordinal);
        Assert.DoesNotContain("zq", chat + events, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Effort_becomes_a_budget_of_tokens_for_models_that_take_one()
    {
        var (takes, takesNone) = (new SayingModel("t", "a"), new SayingModel("t", "a"));
        await using var server = await RunningServer.StartAsync(new ServerOptions { Models = [new("takes", takes) { TakesBudget = true }, new("none", takesNone)], Budgets = new ThinkingBudgets().With("low=33") });
        foreach (var model in (string[])["takes", "none"])
        {
            var body = RunningServer.Chat();
            (body["model"], body["reasoning_effort"]) = (model, "low");
            await AskAsync(server, "/v1/chat/completions", body);
        }

        var responses = RunningServer.Respond();
        (responses["model"], responses["reasoning"]) = ("takes", new JsonObject { ["effort"] = "none" });
        await AskAsync(server, "/v1/responses", responses);
        Assert.Equal([33, 0], takes.Asked.Select(asked => asked.Options!.AdditionalProperties!["thinking_budget"]));
        Assert.Equal(ReasoningEffort.Low, takesNone.Asked[0].Options!.Reasoning!.Effort);
        Assert.Empty(takesNone.Asked[0].Options!.AdditionalProperties ?? []);

        var wrong = RunningServer.Chat();
        wrong["reasoning_effort"] = "huge";
        Assert.Equal("reasoning_effort", (string?)(await RefusedAsync(server, "/v1/chat/completions", wrong)).Error["param"]);
    }

    [Fact]
    public async Task Settings_and_conversations_reach_the_model_without_earlier_thoughts()
    {
        var model = new SayingModel("t", "a");
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", model));
        await AskAsync(server, "/v1/chat/completions", JsonNode.Parse("""
            {"messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"one "},{"type":"text","text":"two"}]},
             {"role":"assistant","content":"three","reasoning":"hm"},{"role":"user","content":"four"}],"max_tokens":9,"temperature":0.5,"top_p":0.9,"seed":4,"stop":["x"]}
            """)!.AsObject());
        await AskAsync(server, "/v1/responses", JsonNode.Parse("""
            {"instructions":"Be brief.","input":[{"role":"user","content":"one two"},{"type":"reasoning","id":"r","summary":[]},
             {"type":"message","role":"assistant","content":[{"type":"output_text","text":"three"}]},{"role":"user","content":[{"type":"input_text","text":"four"}]}],"max_output_tokens":9}
            """)!.AsObject());
        Assert.All(model.Asked, asked =>
        {
            Assert.Equal(["system: Be brief.", "user: one two", "assistant: three", "user: four"], asked.Messages.Select(message => $"{message.Role}: {message.Text}"));
            Assert.Equal(9, asked.Options!.MaxOutputTokens);
        });
        Assert.Equal((0.5f, 0.9f, 4, "x"), (model.Asked[0].Options!.Temperature, model.Asked[0].Options!.TopP, model.Asked[0].Options!.Seed, model.Asked[0].Options!.StopSequences!.Single()));
    }

    [Theory]
    [InlineData("{", "invalid_json")]
    [InlineData("[]", "invalid_json")]
    [InlineData("{\"messages\":[],\"messages\":[]}", "invalid_json")]
    [InlineData("{\"messages\":[]}", "invalid_value")]
    [InlineData("{\"messages\":\"x\"}", "invalid_value")]
    [InlineData("{\"messages\":[3]}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"bishop\",\"content\":\"x\"}]}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}", "unsupported_content")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\",\"content\":\"<think>\"}]}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"temperature\":9}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":0}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":40000}", "invalid_value")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"n\":2}", "unsupported_parameter")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{}]}", "unsupported_parameter")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", "invalid_value")]
    public async Task A_wrong_request_is_refused_in_one_line(string body, string code)
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("m", new SayingModel("t", "a")));
        using var request = server.Request(HttpMethod.Post, "/v1/chat/completions", "chat");
        request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await server.Http.SendAsync(request, Token);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync(Token))!["error"]!;
        Assert.Equal((HttpStatusCode.BadRequest, code, "invalid_request_error"), (response.StatusCode, (string?)error["code"], (string?)error["type"]));
        Assert.DoesNotContain('\n', (string)error["message"]!);
    }

    [Fact]
    public async Task Models_are_listed_and_one_that_is_not_there_is_named()
    {
        await using var server = await RunningServer.StartAsync(new ServedModelOptions("a/b", new SayingModel("t", "a")), new ServedModelOptions("c", new SayingModel("t", "c")));
        var list = JsonNode.Parse((await server.SendAsync(HttpMethod.Get, "/v1/models", cancel: Token)).Body)!;
        Assert.Equal(["a/b", "c"], list["data"]!.AsArray().Select(model => (string?)model!["id"]));
        Assert.Equal("a/b", (string?)JsonNode.Parse((await server.SendAsync(HttpMethod.Get, "/v1/models/a/b", cancel: Token)).Body)!["id"]);
        var body = RunningServer.Chat();
        body["model"] = "d";
        Assert.Equal((HttpStatusCode.NotFound, "model_not_found"), await CodeAsync(server, body));
        body["model"] = "c";
        Assert.Equal("c", (string?)(await AskAsync(server, "/v1/chat/completions", body))["choices"]![0]!["message"]!["content"]);
    }

    private static async Task<(HttpStatusCode, string?)> CodeAsync(RunningServer server, JsonObject body)
    {
        var (status, error) = await RefusedAsync(server, "/v1/chat/completions", body);
        return (status, (string?)error["code"]);
    }

    [Fact]
    public async Task A_failing_model_gives_a_status_before_a_stream_begins_and_a_last_event_after()
    {
        await using var server = await RunningServer.StartAsync(
            new ServedModelOptions("early", new SayingModel(_ => new([]) { Failure = new InvalidOperationException("zq9") })),
            new ServedModelOptions("late", new SayingModel(_ => new([new TextReasoningContent("zq9"), new TextContent("One. "), new TextContent("Two. "), new TextContent("Three. "), new TextContent("Four.")]) { Failure = new InvalidOperationException("zq9") })),
            new ServedModelOptions("long", new SayingModel(_ => new([]) { Failure = new ArgumentException("zq9") })));
        JsonObject Body(string model, bool stream)
        {
            var body = RunningServer.Chat(stream: stream);
            body["model"] = model;
            return body;
        }

        foreach (var stream in (bool[])[false, true])
        {
            Assert.Equal((HttpStatusCode.InternalServerError, "model_failed"), await CodeAsync(server, Body("early", stream)));
            Assert.Equal((HttpStatusCode.BadRequest, "context_length_exceeded"), await CodeAsync(server, Body("long", stream)));
        }

        var (_, text) = await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", Body("late", true), cancel: Token);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        Assert.DoesNotContain("zq9", text, StringComparison.Ordinal);
        Assert.Equal("model_failed", (string?)JsonNode.Parse(RunningServer.Events(text)[^1])!["error"]!["code"]);
        var respond = RunningServer.Respond(stream: true);
        respond["model"] = "late";
        var last = JsonNode.Parse(RunningServer.Events((await server.SendAsync(HttpMethod.Post, "/v1/responses", "chat", respond, cancel: Token)).Body)[^1])!;
        Assert.Equal(("response.failed", "failed", "model_failed"), ((string?)last["type"], (string?)last["response"]!["status"], (string?)last["response"]!["error"]!["code"]));
    }

    [Fact]
    public async Task A_server_that_stops_finishes_what_is_open_and_breaks_off_what_does_not_end()
    {
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var model = new SayingModel(messages => new([new TextReasoningContent("t"), new TextContent("One")])
        {
            Before = async token =>
            {
                begun.TrySetResult();
                await (messages[^1].Text == "ends" ? go.Task : Task.Delay(Timeout.Infinite, token)).WaitAsync(token);
            },
        });
        foreach (var (text, grace) in ((string, TimeSpan)[])[("ends", TimeSpan.FromSeconds(30)), ("never", TimeSpan.Zero)]) await OneAsync(text, grace);

        async Task OneAsync(string text, TimeSpan grace)
        {
            (begun, go) = (new(), new());
            await using var server = await RunningServer.StartAsync(new ServerOptions { Models = [new("m", model)], Grace = grace });
            var open = server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat(text, stream: true), cancel: Token);
            await begun.Task;
            var stop = server.StopAsync();
            go.TrySetResult();
            var (status, body) = await open;
            await stop;
            if (text == "ends") Assert.Equal("[DONE]", RunningServer.Events(body)[^1]);
            // The stream may have begun before the model was asked, or not.
            else Assert.Equal("shutting_down", (string?)JsonNode.Parse(status == HttpStatusCode.ServiceUnavailable ? body : RunningServer.Events(body)[^1])!["error"]!["code"]);
        }
    }
}
