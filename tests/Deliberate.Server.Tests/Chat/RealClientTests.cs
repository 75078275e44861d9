using System.ClientModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Deliberate.Conversations;
using Deliberate.Endpoints;
using Deliberate.Endpoints.Chat;
using Deliberate.Endpoints.Models;
using Deliberate.Server.Chat;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Responses;
using Xunit;

namespace Deliberate.Server.Tests.Chat;

public class RealClientTests
{
    private const string Thought = "zq9 I think of [T3].", Answer = "Lock the door. Use a good bolt.";

    private static readonly AIContent[] Pieces = [new TextReasoningContent("zq9 I think "), new TextReasoningContent("of [T3]."), new TextContent("Lock the door. "), new TextContent("Use a good bolt.")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<RunningServer> StartAsync() => RunningServer.StartAsync(
        new ServedModelOptions("m", new SayingModel(_ => new(Pieces))),
        new ServedModelOptions("fails", new SayingModel(_ => new([]) { Failure = new InvalidOperationException("zq9") })));

    private static OpenAIClientOptions Options(RunningServer server) => new() { Endpoint = server.Address, RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0) };

    [Fact]
    public async Task The_official_client_chats()
    {
        await using var server = await StartAsync();
        var client = new ChatClient("m", new ApiKeyCredential(server.Keys["chat"]), Options(server));
        ChatCompletion whole = await client.CompleteChatAsync([new UserChatMessage("hello")], new ChatCompletionOptions { MaxOutputTokenCount = 50 }, Token);
        Assert.Equal(Answer, whole.Content[0].Text);
        Assert.Equal(OpenAI.Chat.ChatFinishReason.Stop, whole.FinishReason);
        Assert.Equal((18, 4), (whole.Usage.TotalTokenCount, whole.Usage.OutputTokenDetails.ReasoningTokenCount));

        var (text, finish, usage) = (new StringBuilder(), (OpenAI.Chat.ChatFinishReason?)null, (ChatTokenUsage?)null);
        await foreach (var update in client.CompleteChatStreamingAsync([new UserChatMessage("hello")], cancellationToken: Token))
        {
            foreach (var part in update.ContentUpdate) text.Append(part.Text);
            finish = update.FinishReason ?? finish;
            usage = update.Usage ?? usage;
        }

        Assert.Equal((Answer, OpenAI.Chat.ChatFinishReason.Stop, 4), (text.ToString(), finish, usage!.OutputTokenDetails.ReasoningTokenCount));
    }

    [Fact]
    public async Task The_official_client_gets_errors_that_it_understands()
    {
        await using var server = await StartAsync();
        var wrong = await Assert.ThrowsAsync<ClientResultException>(() => new ChatClient("m", new ApiKeyCredential("dlb_wrong"), Options(server)).CompleteChatAsync([new UserChatMessage("hello")], cancellationToken: Token));
        Assert.Equal(401, wrong.Status);
        Assert.Contains("invalid_api_key", wrong.Message, StringComparison.Ordinal);
        var failed = await Assert.ThrowsAsync<ClientResultException>(() => new ChatClient("fails", new ApiKeyCredential(server.Keys["chat"]), Options(server)).CompleteChatAsync([new UserChatMessage("hello")], cancellationToken: Token));
        Assert.Equal(500, failed.Status);
        Assert.Contains("model_failed", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_official_client_lists_models()
    {
        await using var server = await StartAsync();
        var models = await new OpenAIClient(new ApiKeyCredential(server.Keys["chat"]), Options(server)).GetOpenAIModelClient().GetModelsAsync(Token);
        Assert.Equal(["m", "fails"], models.Value.Select(model => model.Id));
    }

#pragma warning disable OPENAI001 // the Responses part of the client is marked as a preview
    [Fact]
    public async Task The_official_client_speaks_responses()
    {
        await using var server = await StartAsync();
        var client = new ResponsesClient(new ApiKeyCredential(server.Keys["chat"]), new ResponsesClientOptions { Endpoint = server.Address });
        ResponseResult whole = await client.CreateResponseAsync("m", "hello", cancellationToken: Token);
        Assert.Equal(Answer, whole.GetOutputText());
        Assert.Equal((ResponseStatus.Completed, 4), (whole.Status, whole.Usage.OutputTokenDetails.ReasoningTokenCount));

        var (text, last) = (new StringBuilder(), (ResponseResult?)null);
        await using var stream = await client.CreateResponseStreamingAsync("m", "hello", cancellationToken: Token);
        await foreach (var update in (IAsyncEnumerable<StreamingResponseUpdate>)stream)
        {
            if (update is StreamingResponseOutputTextDeltaUpdate delta) text.Append(delta.Delta);
            if (update is StreamingResponseCompletedUpdate completed) last = completed.Response;
        }

        Assert.Equal(Answer, text.ToString());
        Assert.Equal(Answer, last!.GetOutputText());
    }
#pragma warning restore OPENAI001

    [Theory]
    [InlineData(EndpointApi.ChatCompletions)]
    [InlineData(EndpointApi.Responses)]
    public async Task Our_own_endpoint_code_talks_to_our_own_server(EndpointApi api)
    {
        await using var server = await StartAsync();
        foreach (var (key, shown) in ((string, bool)[])[("chat", false), ("both", true)])
        {
            using var http = new HttpClient();
            if (shown) http.DefaultRequestHeaders.Add("X-Deliberate-Thinking", "show");
            using var endpoint = new ChatEndpoint(new() { Address = server.Address, Model = "m", Api = api, Key = ApiKey.FromEnvironment(server.Address, "KEY", _ => server.Keys[key]) }, http);
            var whole = await endpoint.GetResponseAsync([new(ChatRole.User, "hello")], null, Token);
            var streamed = await endpoint.GetStreamingResponseAsync([new(ChatRole.User, "hello")], null, Token).ToChatResponseAsync(Token);
            Assert.All([whole, streamed], response =>
            {
                Assert.Equal(new Completion(shown ? Thought : "", Answer), CompletionReader.Read(response));
                Assert.Equal(4, response.Usage!.ReasoningTokenCount);
            });
        }

        using var fails = new ChatEndpoint(new() { Address = server.Address, Model = "fails", Api = api, Key = ApiKey.FromEnvironment(server.Address, "KEY", _ => server.Keys["chat"]) });
        Assert.Equal(FailureReason.ServerError, (await Assert.ThrowsAsync<EndpointException>(() => fails.GetResponseAsync([new(ChatRole.User, "hello")], null, Token))).Reason);
    }

    [Theory]
    [InlineData("chat/completions", "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}", "/choices/0/delta/content")]
    [InlineData("responses", "{\"model\":\"m\",\"stream\":true,\"input\":\"hello\"}", "/delta")]
    public async Task Curl_streams(string path, string body, string field)
    {
        if (!File.Exists("/usr/bin/curl")) Assert.Skip("there is no curl on this machine");
        await using var server = await StartAsync();
        var start = new ProcessStartInfo("/usr/bin/curl") { RedirectStandardOutput = true };
        foreach (var argument in (string[])["-sS", "-N", "--noproxy", "*", $"{server.Address}/{path}", "-H", $"Authorization: Bearer {server.Keys["chat"]}", "-H", "Content-Type: application/json", "-d", body]) start.ArgumentList.Add(argument);
        using var curl = Process.Start(start)!;
        var output = await curl.StandardOutput.ReadToEndAsync(Token);
        await curl.WaitForExitAsync(Token);
        Assert.Equal(0, curl.ExitCode);
        Assert.DoesNotContain("zq9", output, StringComparison.Ordinal);
        Assert.Equal(Answer, string.Concat(RunningServer.Events(output).Where(data => data != "[DONE]").Select(data => At(JsonNode.Parse(data), field.Split('/')[1..]))));
    }

    private static string? At(JsonNode? node, string[] path)
    {
        foreach (var name in path) node = node is JsonArray array ? array[int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)] : node is JsonObject json ? json[name] : null;
        return node is JsonValue value && value.TryGetValue(out string? text) ? text : null;
    }
}
