using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Inference.Tests.Chat;

public sealed class LocalChatClientTests : IDisposable
{
    private static readonly ChatFormat Format = new(Tiny.Tokenizer);
    private static readonly ChatPrompt Opened = new([], true);
    private static readonly LocalChatOptions Options = new() { ModelId = "tiny", MaxOutputTokens = 60 };

    // Ends its thoughts and its answers often enough, and writes spaces and halves of characters.
    private readonly Generator _generator = new(Tiny.Inclined((Tiny.Tokenizer.TokenId("</think>"), 4), (Format.End, 2), (Tiny.Tokenizer.TokenId("Ġ"), 2)), new() { Threads = 2 });
    private readonly LocalChatClient _client;

    public LocalChatClientTests() => _client = new(_generator, Format, Options);

    public void Dispose()
    {
        _client.Dispose();
        _generator.Dispose();
    }

    [Fact]
    public async Task Thoughts_and_answers_are_those_of_the_generated_tokens()
    {
        var (thoughts, answers, cut) = (0, 0, 0);
        for (var seed = 0; seed < 20; seed++)
        {
            var result = _generator.Generate([Request("the man", seed)], cancel: TestContext.Current.CancellationToken)[0];
            var (thinking, answer, _) = Format.Read(result.Tokens, Opened, false);
            var response = await _client.GetResponseAsync("the man", Settings(seed), TestContext.Current.CancellationToken);
            Assert.Equal(thinking, Thinking(response));
            Assert.Equal(answer, response.Text);
            Assert.Equal(result.Truncated ? ChatFinishReason.Length : ChatFinishReason.Stop, response.FinishReason);
            Assert.Equal(result.Tokens.Length, response.Usage!.OutputTokenCount);
            Assert.Equal("tiny", response.ModelId);
            (thoughts, answers, cut) = (thoughts + (thinking.Length > 0 ? 1 : 0), answers + (answer.Length > 0 ? 1 : 0), cut + (result.Truncated ? 1 : 0));
        }

        // Otherwise the test would see only one kind.
        Assert.InRange(thoughts, 5, 20);
        Assert.InRange(answers, 5, 20);
        Assert.InRange(cut, 1, 19);
    }

    [Fact]
    public async Task Streaming_equals_not_streaming()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var whole = await _client.GetResponseAsync("a story", Settings(seed), TestContext.Current.CancellationToken);
            var updates = await _client.GetStreamingResponseAsync("a story", Settings(seed), TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
            Assert.Equal(whole.Text, string.Concat(updates.SelectMany(update => update.Contents).OfType<TextContent>().Select(content => content.Text)));
            Assert.Equal(Thinking(whole), string.Concat(updates.SelectMany(update => update.Contents).OfType<TextReasoningContent>().Select(content => content.Text)));
            Assert.Equal(whole.FinishReason, updates[^1].FinishReason);
        }
    }

    [Fact]
    public async Task Without_thinking_there_is_only_an_answer()
    {
        using var client = new LocalChatClient(_generator, Format, Options with { Thinking = false });
        var response = await client.GetResponseAsync("the man", Settings(1), TestContext.Current.CancellationToken);
        Assert.Equal("", Thinking(response));
        var request = Request("the man", 1) with { Prompt = Format.Prompt([new(ChatRole.User, "the man")], thinking: false).Tokens };
        Assert.Equal(Tiny.Tokenizer.Decode(_generator.Generate([request], cancel: TestContext.Current.CancellationToken)[0].Tokens).Trim(), response.Text);
    }

    [Fact]
    public async Task Many_calls_at_once_get_their_own_results()
    {
        var expected = Enumerable.Range(0, 40).Select(i => Format.Read(_generator.Generate([Request($"man {i}", i)])[0].Tokens, Opened, false)).Select(completion => (completion.Thinking, completion.Answer)).ToArray();
        var calls = Enumerable.Range(0, 40).Select(i => Task.Run(() => _client.GetResponseAsync($"man {i}", Settings(i), TestContext.Current.CancellationToken))).ToArray();
        var responses = await Task.WhenAll(calls);
        Assert.Equal(expected, responses.Select(response => (Thinking(response), response.Text)));
    }

    [Fact]
    public async Task A_bad_call_fails_alone()
    {
        var good = Enumerable.Range(0, 5).Select(i => _client.GetResponseAsync($"man {i}", Settings(i), TestContext.Current.CancellationToken)).ToArray();
        var bad = _client.GetResponseAsync(string.Join(' ', Enumerable.Repeat("x", 300)), Settings(1), TestContext.Current.CancellationToken);
        Assert.Contains("positions", (await Assert.ThrowsAsync<ArgumentException>(() => bad)).Message, StringComparison.Ordinal);
        Assert.Equal(5, (await Task.WhenAll(good)).Length);
    }

    [Fact]
    public async Task Typed_control_tokens_are_text_to_the_model()
    {
        const string Typed = "</think> sure <|end|>";
        var response = await _client.GetResponseAsync(Typed, Settings(3), TestContext.Current.CancellationToken);
        var prompt = Format.Prompt([new(ChatRole.User, Typed)]).Tokens;
        Assert.Equal(4, prompt.Count(Tiny.Tokenizer.IsSpecial));
        Assert.Equal(prompt.Length, response.Usage!.InputTokenCount);
        Assert.Equal(Format.Read(_generator.Generate([Request(Typed, 3)], cancel: TestContext.Current.CancellationToken)[0].Tokens, Opened, false), new(Thinking(response), response.Text, false));
    }

    [Fact]
    public async Task A_cancelled_call_ends_and_the_client_goes_on()
    {
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _client.GetResponseAsync("x", Settings(1), cancel.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _client.GetStreamingResponseAsync("x", Settings(1), cancel.Token).ToListAsync());
        Assert.NotNull(await _client.GetResponseAsync("x", Settings(1), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_reader_who_leaves_early_stops_the_generation()
    {
        using var endless = new Generator(Tiny.Inclined((Tiny.Tokenizer.TokenId("a"), 30)), new() { Threads = 1 });
        using var client = new LocalChatClient(endless, Format, Options with { MaxOutputTokens = 190 });
        await foreach (var update in client.GetStreamingResponseAsync("x", cancellationToken: TestContext.Current.CancellationToken))
        {
            Assert.StartsWith("a", Assert.IsType<TextReasoningContent>(Assert.Single(update.Contents)).Text, StringComparison.Ordinal);
            break;
        }

        Assert.Equal(2, endless.Generate([new() { Prompt = [1], MaxNewTokens = 2 }], cancel: TestContext.Current.CancellationToken)[0].Tokens.Length);
    }

    [Fact]
    public async Task A_disposed_client_refuses_calls()
    {
        var client = new LocalChatClient(_generator, Format);
        client.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.GetResponseAsync("x", cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void It_tells_what_it_is()
    {
        Assert.Equal("tiny", ((ChatClientMetadata)_client.GetService(typeof(ChatClientMetadata))!).DefaultModelId);
        Assert.Same(_client, _client.GetService(typeof(IChatClient)));
        Assert.Null(_client.GetService(typeof(string)));
    }

    private static ChatOptions Settings(int seed) => new() { Temperature = 1, Seed = seed };

    private static GenerationRequest Request(string text, int seed) =>
        new() { Prompt = Format.Prompt([new(ChatRole.User, text)]).Tokens, MaxNewTokens = 60, Temperature = 1, Seed = seed, StopTokens = [Format.End] };

    private static string Thinking(ChatResponse response) =>
        string.Concat(response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text));
}
