using System.Text.Json.Nodes;
using Deliberate.Conversations;
using Deliberate.Endpoints.Chat;
using Deliberate.Endpoints.Models;
using Deliberate.Faults;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Endpoints.Tests.Chat;

public class ChatEndpointTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<EndpointApi, ReasoningDialect, bool> Ways
    {
        get
        {
            var ways = new TheoryData<EndpointApi, ReasoningDialect, bool>();
            foreach (var stream in new[] { false, true })
            {
                foreach (var dialect in Enum.GetValues<ReasoningDialect>()) ways.Add(EndpointApi.ChatCompletions, dialect, stream);
                ways.Add(EndpointApi.Responses, default, stream);
                ways.Add(EndpointApi.Ollama, default, stream);
            }

            return ways;
        }
    }

    private static ChatEndpointOptions To(FaultServer server, EndpointApi api = default) => new() { Address = api == EndpointApi.Ollama ? server.Root : server.Address, Model = "m-1", Api = api };

    private static async Task<ChatResponse> AskAsync(ChatEndpoint client, bool stream, ChatOptions? options = null, params ChatMessage[] messages)
    {
        if (messages.Length == 0) messages = ScriptedClient.Ask("hello");
        return stream ? await client.GetStreamingResponseAsync(messages, options, Cancel).ToChatResponseAsync(Cancel) : await client.GetResponseAsync(messages, options, Cancel);
    }

    private static async Task<JsonObject> SentAsync(ChatEndpointOptions endpoint, FaultServer server, ChatOptions? options = null, params ChatMessage[] messages)
    {
        using var client = new ChatEndpoint(endpoint);
        await AskAsync(client, false, options, messages);
        return server.Requests.Last().Body;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Thought_and_answer_come_apart_from_every_dialect(EndpointApi api, ReasoningDialect dialect, bool stream)
    {
        await using var server = await FaultServer.StartAsync(new() { Dialect = dialect, Answer = _ => new("I wonder\nwhy é.", "Because [so] <b>it</b> is.") });
        using var client = new ChatEndpoint(To(server, api));
        var response = await AskAsync(client, stream);
        Assert.Equal(new Completion("I wonder\nwhy é.", "Because [so] <b>it</b> is."), CompletionReader.Read(response));
        Assert.Equal((ChatFinishReason.Stop, "m-1", 10), (response.FinishReason, response.ModelId, response.Usage!.InputTokenCount));
        var text = response.Messages.SelectMany(message => message.Contents).Where(content => content is TextContent or TextReasoningContent).ToList();
        Assert.True(text.FindLastIndex(content => content is TextReasoningContent) < text.FindIndex(content => content is TextContent));
        Assert.DoesNotContain("wonder", response.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_cut_completion_is_truncated_in_every_dialect(EndpointApi api, ReasoningDialect dialect, bool stream)
    {
        await using var server = await FaultServer.StartAsync(new() { Dialect = dialect, Answer = _ => new("why", "Becau", "length") });
        using var client = new ChatEndpoint(To(server, api));
        Assert.Equal(new Completion("why", "Becau", true), CompletionReader.Read(await AskAsync(client, stream)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_without_a_thought_is_an_answer(bool stream)
    {
        await using var server = await FaultServer.StartAsync(new() { Answer = _ => new("", "yes") });
        using var client = new ChatEndpoint(To(server));
        Assert.Equal(new Completion("", "yes"), CompletionReader.Read(await AskAsync(client, stream)));
    }

    [Fact]
    public async Task What_a_call_says_is_sent_as_the_server_wants_it()
    {
        await using var server = await FaultServer.StartAsync();
        var options = new ChatOptions
        {
            Temperature = 0.7f,
            TopP = 0.9f,
            TopK = 20,
            Seed = 7,
            MaxOutputTokens = 50,
            StopSequences = ["END"],
            Instructions = "be brief",
            Reasoning = new() { Effort = ReasoningEffort.High },
            ResponseFormat = ChatResponseFormat.Json,
            AdditionalProperties = new() { ["min_p"] = 0.1, ["logit_bias"] = new JsonObject() },
        };
        var endpoint = To(server) with { EnableThinking = true, ExtraBody = new() { ["chat_template_kwargs"] = new JsonObject { ["x"] = 1 }, ["top_k"] = null } };
        Assert.Equal(
            """{"model":"m-1","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"max_tokens":50,"temperature":0.7,"top_p":0.9,"seed":7,"stop":["END"],"reasoning_effort":"high","chat_template_kwargs":{"enable_thinking":true,"x":1},"response_format":{"type":"json_object"},"min_p":0.1,"logit_bias":{}}""",
            (await SentAsync(endpoint, server, options)).ToJsonString());
        Assert.Equal(50, (int?)(await SentAsync(To(server) with { Server = ServerKind.OpenAI }, server, options))["max_completion_tokens"]);
        options.AdditionalProperties = null;
        Assert.Equal(
            """{"model":"m-1","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"stream":false,"think":"high","format":"json","options":{"temperature":0.7,"top_p":0.9,"top_k":20,"seed":7,"num_predict":50,"stop":["END"]}}""",
            (await SentAsync(To(server, EndpointApi.Ollama), server, options)).ToJsonString());
        Assert.Equal(
            """{"model":"m-1","input":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"store":false,"max_output_tokens":50,"temperature":0.7,"top_p":0.9,"reasoning":{"effort":"high"},"text":{"format":{"type":"json_object"}}}""",
            (await SentAsync(To(server, EndpointApi.Responses), server, options)).ToJsonString());
    }

    [Fact]
    public async Task A_call_s_effort_goes_before_the_endpoint_s_and_a_switch_before_a_level()
    {
        await using var server = await FaultServer.StartAsync();
        var endpoint = To(server) with { ReasoningEffort = "minimal" };
        Assert.Equal("minimal", (string?)(await SentAsync(endpoint, server))["reasoning_effort"]);
        Assert.Equal("none", (string?)(await SentAsync(endpoint, server, new() { Reasoning = new() { Effort = ReasoningEffort.None } }))["reasoning_effort"]);
        Assert.False((bool?)(await SentAsync(To(server, EndpointApi.Ollama) with { EnableThinking = false, ReasoningEffort = "high" }, server))["think"]);
    }

    [Fact]
    public async Task Thoughts_of_earlier_turns_are_not_sent()
    {
        await using var server = await FaultServer.StartAsync();
        ChatMessage[] chat = [new(ChatRole.User, "a"), new(ChatRole.Assistant, [new TextReasoningContent("hidden"), new TextContent("b")]), new(ChatRole.User, "c")];
        Assert.DoesNotContain("hidden", (await SentAsync(To(server), server, null, chat)).ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ServerKind.Vllm, true)]
    [InlineData(ServerKind.SGLang, true)]
    [InlineData(ServerKind.LlamaCpp, false)]
    public async Task A_conversation_that_ends_with_the_assistant_is_continued(ServerKind kind, bool flagged)
    {
        await using var server = await FaultServer.StartAsync(new() { Answer = _ => new("", "is why.\n</think>\nyes") });
        using var client = new ChatEndpoint(To(server) with { Server = kind });
        ChatMessage[] chat = [new(ChatRole.User, "a"), new(ChatRole.Assistant, [new TextReasoningContent("This")])];
        Assert.Equal(new Completion("is why.", "yes"), CompletionReader.Read(await AskAsync(client, false, null, chat)));
        var body = server.Requests.Last().Body;
        Assert.Equal("<think>\nThis", (string?)body["messages"]![1]!["content"]);
        Assert.Equal((flagged ? true : null, flagged ? false : null), ((bool?)body["continue_final_message"], (bool?)body["add_generation_prompt"]));
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_before_anything_is_sent()
    {
        await using var server = await FaultServer.StartAsync();
        using var client = new ChatEndpoint(To(server));
        ChatMessage[] open = [new(ChatRole.User, "a"), new(ChatRole.Assistant, "b")];
        Assert.Contains("say which it is", (await Assert.ThrowsAsync<NotSupportedException>(() => AskAsync(client, false, null, open))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotSupportedException>(() => AskAsync(client, false, null, new ChatMessage(ChatRole.User, [new UriContent("http://h/i.png", "image/png")])));
        await Assert.ThrowsAsync<NotSupportedException>(() => AskAsync(client, false, new() { Tools = [AIFunctionFactory.Create(() => 1)] }));
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(Fault.TooManyRequests, FailureReason.RateLimited)]
    [InlineData(Fault.Unavailable, FailureReason.Overloaded)]
    [InlineData(Fault.ServerError, FailureReason.ServerError)]
    [InlineData(Fault.Reset, FailureReason.Connection)]
    [InlineData(Fault.Garbage, FailureReason.MalformedReply)]
    [InlineData(Fault.TruncatedBody, FailureReason.TruncatedReply)]
    public async Task Every_fault_has_its_reason(Fault fault, FailureReason reason)
    {
        foreach (var api in Enum.GetValues<EndpointApi>())
        {
            foreach (var stream in new[] { false, true })
            {
                await using var server = await FaultServer.StartAsync(new() { Plan = _ => fault, RetryAfter = "3" });
                using var client = new ChatEndpoint(To(server, api));
                var failure = await Assert.ThrowsAsync<EndpointException>(() => AskAsync(client, stream));
                // Garbage may look like a stream that says nothing; a connection that is cut may take with it what has already come.
                FailureReason[] others = fault switch { Fault.Garbage when stream => [FailureReason.TruncatedReply], Fault.TruncatedBody => [FailureReason.Connection], _ => [] };
                Assert.Contains(failure.Reason, others.Append(reason));
                Assert.False(failure.NeverSent);
                Assert.StartsWith("m-1 at http://127.0.0.1:", failure.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', failure.Message);
                Assert.Equal(fault is Fault.TooManyRequests or Fault.Unavailable ? TimeSpan.FromSeconds(3) : null, failure.RetryAfter);
                Assert.Empty(server.Answered);
            }
        }
    }

    [Fact]
    public async Task No_server_is_a_matter_of_the_connection()
    {
        Uri address;
        await using (var server = await FaultServer.StartAsync()) address = server.Address;
        using var client = new ChatEndpoint(new() { Address = address, Model = "m-1" });
        var failure = await Assert.ThrowsAsync<EndpointException>(() => AskAsync(client, false));
        Assert.Equal((FailureReason.Connection, true), (failure.Reason, failure.NeverSent));
    }

    [Fact]
    public async Task A_stream_that_breaks_after_the_model_has_finished_is_whole()
    {
        const string events = """
            data: {"choices":[{"delta":{"content":"yes"},"finish_reason":null}]}

            data: {"choices":[{"delta":{},"finish_reason":"stop"}]}


            """;
        using var http = new HttpClient(new BrokenStream(events));
        using var client = new ChatEndpoint(new() { Address = new("http://h/v1"), Model = "m-1" }, http);
        Assert.Equal(new Completion("", "yes"), CompletionReader.Read(await AskAsync(client, true)));
        using var early = new HttpClient(new BrokenStream(events[..90]));
        using var other = new ChatEndpoint(new() { Address = new("http://h/v1"), Model = "m-1" }, early);
        Assert.Equal(FailureReason.TruncatedReply, (await Assert.ThrowsAsync<EndpointException>(() => AskAsync(other, true))).Reason);
    }

    [Fact]
    public async Task A_key_is_sent_and_never_said()
    {
        await using var server = await FaultServer.StartAsync(new() { RequiredKey = "right" });
        ChatEndpointOptions With(string? key) => To(server) with { Key = key is null ? null : ApiKey.FromEnvironment(server.Address, "MY_KEY", _ => key) };
        Assert.NotNull(await SentAsync(With("right"), server));
        foreach (var (key, said) in new[] { ("wrong-key", "refuses the key in MY_KEY (401)"), (null, "wants a key (401)") })
        {
            var failure = await Assert.ThrowsAsync<EndpointException>(() => SentAsync(With(key), server));
            Assert.Equal(FailureReason.RefusedKey, failure.Reason);
            Assert.Contains(said, failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("wrong", failure.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("wrong", With(key).ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_reply_that_is_too_long_is_malformed()
    {
        await using var server = await FaultServer.StartAsync();
        using var client = new ChatEndpoint(To(server) with { MaxReplyBytes = 100 });
        Assert.Equal(FailureReason.MalformedReply, (await Assert.ThrowsAsync<EndpointException>(() => AskAsync(client, false))).Reason);
        Assert.Equal(FailureReason.MalformedReply, (await Assert.ThrowsAsync<EndpointException>(() => AskAsync(client, true))).Reason);
    }

    [Fact]
    public async Task A_call_that_is_cancelled_says_so()
    {
        await using var server = await FaultServer.StartAsync(new() { Plan = _ => Fault.SlowDrip });
        using var client = new ChatEndpoint(To(server));
        using var stop = new CancellationTokenSource();
        var call = client.GetResponseAsync(ScriptedClient.Ask("hello"), null, stop.Token);
        while (server.Requests.Count == 0) await Task.Delay(1, Cancel);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    // Gives a text and then breaks off.
    private sealed class BrokenStream(string text) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var content = new StreamContent(new Breaking(System.Text.Encoding.UTF8.GetBytes(text)));
            content.Headers.ContentType = new("text/event-stream");
            return Task.FromResult(new HttpResponseMessage { Content = content });
        }

        private sealed class Breaking(byte[] bytes) : MemoryStream(bytes)
        {
            public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
            {
                var read = await base.ReadAsync(buffer, cancellationToken);
                return read > 0 ? read : throw new IOException("reset");
            }
        }
    }
}
