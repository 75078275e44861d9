using Deliberate.Inference.Chat;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Templates;
using Deliberate.Inference.Tokenization;
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
            Assert.Equal(Counts(whole.Usage!), Counts(Assert.IsType<UsageContent>(Assert.Single(updates[^1].Contents)).Details));
        }
    }

    [Fact]
    public async Task Two_hundred_streams_at_once_have_the_texts_that_they_have_alone()
    {
        var expected = Enumerable.Range(0, 200).Select(i => Format.Read(_generator.Generate([Request($"man {i}", i)])[0].Tokens, Opened, false)).Select(completion => (completion.Thinking, completion.Answer));
        var streams = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(async () => (await _client.GetStreamingResponseAsync($"man {i}", Settings(i)).ToListAsync()).ToChatResponse())));
        Assert.Equal(expected, streams.Select(response => (Thinking(response), response.Text)));
    }

    [Fact]
    public async Task Reasoning_tokens_are_those_of_the_thought_and_the_mark_that_ends_it()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var tokens = _generator.Generate([Request("the man", seed)], cancel: TestContext.Current.CancellationToken)[0].Tokens;
            var end = Array.IndexOf(tokens, Tiny.Tokenizer.TokenId("</think>"));
            var usage = (await _client.GetResponseAsync("the man", Settings(seed), TestContext.Current.CancellationToken)).Usage!;
            Assert.Equal(end < 0 ? tokens.Length : end + 1, usage.ReasoningTokenCount);
            Assert.Equal(usage.InputTokenCount + tokens.Length, usage.TotalTokenCount);
        }

        using var instant = new LocalChatClient(_generator, Format, Options with { Thinking = false });
        Assert.Equal(0, (await instant.GetResponseAsync("the man", Settings(1), TestContext.Current.CancellationToken)).Usage!.ReasoningTokenCount);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public async Task A_thinking_budget_ends_the_thought(int budget)
    {
        using var endless = new Generator(Tiny.Inclined((Tiny.Tokenizer.TokenId("a"), 30)), new() { Threads = 1 });
        using var client = new LocalChatClient(endless, Format, Options);
        foreach (object value in (object[])[budget, (long)budget, (double)budget, System.Text.Json.JsonSerializer.SerializeToElement(budget)])
        {
            var options = new ChatOptions { MaxOutputTokens = 20, AdditionalProperties = new() { [LocalChatClient.ThinkingBudget] = value } };
            var response = await client.GetResponseAsync("x", options, TestContext.Current.CancellationToken);
            Assert.Equal((new string('a', budget), new string('a', 19 - budget)), (Thinking(response), response.Text));
            Assert.Equal((20, budget + 1), (response.Usage!.OutputTokenCount, response.Usage.ReasoningTokenCount));
            var streamed = (await client.GetStreamingResponseAsync("x", options, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken)).ToChatResponse();
            Assert.Equal((Thinking(response), response.Text, response.Usage.ReasoningTokenCount), (Thinking(streamed), streamed.Text, streamed.Usage!.ReasoningTokenCount));
            // Where there is no thought, there is nothing to end.
            options.Reasoning = new() { Effort = ReasoningEffort.None };
            Assert.Equal(new string('a', 20), (await client.GetResponseAsync("x", options, TestContext.Current.CancellationToken)).Text);
        }
    }

    [Fact]
    public async Task Where_the_model_opens_its_thought_itself_the_budget_needs_the_mark()
    {
        using var folder = new TemporaryFolder();
        Tiny.Tokenizer.Save(folder.File("tokenizer.json"));
        var format = new TemplateFormat(Tokenizer.Load(folder.File("tokenizer.json")), ChatTemplate.Parse("{% for m in messages %}{{ m.content }}{% endfor %}", "test"), new Dictionary<string, string>(), [Format.End]);
        var options = new ChatOptions { MaxOutputTokens = 12, AdditionalProperties = new() { [LocalChatClient.ThinkingBudget] = 4 } };
        foreach (var (token, reasoning) in ((string, int)[])[("a", 0), ("<think>", 5)])
        {
            using var generator = new Generator(Tiny.Inclined((Tiny.Tokenizer.TokenId(token), 30)), new() { Threads = 1 });
            using var client = new LocalChatClient(generator, format, Options);
            var response = await client.GetResponseAsync("x", options, TestContext.Current.CancellationToken);
            Assert.Equal((12, reasoning), (response.Usage!.OutputTokenCount, response.Usage.ReasoningTokenCount));
            if (token == "a") Assert.Equal(new string('a', 12), response.Text);
        }
    }

    [Fact]
    public async Task An_answer_ends_before_a_stop_sequence()
    {
        var (cut, seeds) = (0, 40);
        for (var seed = 0; seed < seeds; seed++)
        {
            var whole = await _client.GetResponseAsync("a story", Settings(seed), TestContext.Current.CancellationToken);
            if (whole.Text.Length < 4) continue;
            // Of two characters from the middle of the answer: often cut by tokens, and sometimes in the thought as well.
            string[] stops = [whole.Text.Substring(whole.Text.Length / 2, 2), "never comes"];
            var options = Settings(seed);
            options.StopSequences = stops;
            var response = await _client.GetResponseAsync("a story", options, TestContext.Current.CancellationToken);
            Assert.Equal(whole.Text[..whole.Text.IndexOf(stops[0], StringComparison.Ordinal)], response.Text);
            Assert.Equal(Thinking(whole), Thinking(response));
            Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
            var streamed = (await _client.GetStreamingResponseAsync("a story", options, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken)).ToChatResponse();
            Assert.Equal((response.Text, Thinking(response), response.FinishReason), (streamed.Text, Thinking(streamed), streamed.FinishReason));
            Assert.Equal(Counts(response.Usage!), Counts(streamed.Usage!));
            if (response.Usage!.OutputTokenCount < whole.Usage!.OutputTokenCount) cut++;
        }

        Assert.InRange(cut, 5, seeds);
    }

    [Fact]
    public async Task Settings_reach_the_generator_or_are_refused()
    {
        var options = Settings(5);
        options.Instructions = "be brief";
        options.AdditionalProperties = new() { [LocalChatClient.MinP] = 0.2, [LocalChatClient.RepetitionPenalty] = 1.5f };
        var request = Request("x", 5) with { Prompt = Format.Prompt([new(ChatRole.System, "be brief"), new(ChatRole.User, "x")]).Tokens, MinP = 0.2f, RepetitionPenalty = 1.5f };
        var response = await _client.GetResponseAsync("x", options, TestContext.Current.CancellationToken);
        Assert.Equal(Format.Read(_generator.Generate([request], cancel: TestContext.Current.CancellationToken)[0].Tokens, Opened, false), new(Thinking(response), response.Text, false));

        Task Refused<T>(ChatOptions wrong, string expected) where T : Exception =>
            Task.Run(async () => Assert.Contains(expected, (await Assert.ThrowsAsync<T>(() => _client.GetResponseAsync("x", wrong))).Message, StringComparison.Ordinal));
        await Refused<NotSupportedException>(new() { FrequencyPenalty = 1 }, "FrequencyPenalty");
        await Refused<NotSupportedException>(new() { PresencePenalty = 1 }, "PresencePenalty");
        await Refused<ArgumentException>(new() { AdditionalProperties = new() { [LocalChatClient.ThinkingBudget] = "much" } }, "thinking_budget");
        await Refused<ArgumentException>(new() { AdditionalProperties = new() { [LocalChatClient.ThinkingBudget] = 1.5 } }, "whole number");
        await Refused<ArgumentException>(new() { AdditionalProperties = new() { [LocalChatClient.ThinkingBudget] = -1 } }, "0 or more");
        Assert.NotNull(await _client.GetResponseAsync("x", new() { FrequencyPenalty = 0, PresencePenalty = 0 }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Clients_of_one_generator_share_its_line_and_its_bound()
    {
        using var generator = new Generator(Tiny.Weights(Tiny.Untied), new() { Threads = 1, MaxBatch = 1, MaxWaiting = 1 });
        using var one = new LocalChatClient(generator, Format, Options);
        using var two = new LocalChatClient(generator, Format, Options);
        using var go = new ManualResetEventSlim();
        var started = new TaskCompletionSource();
        var blocking = generator.SubmitAsync(Request("x", 1) with
        {
            OnToken = _ =>
            {
                started.TrySetResult();
                go.Wait();
                return true;
            },
        }, TestContext.Current.CancellationToken);
        await started.Task;
        var waiting = one.GetResponseAsync("x", cancellationToken: TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<QueueFullException>(() => two.GetResponseAsync("x", cancellationToken: TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<QueueFullException>(async () => await two.GetStreamingResponseAsync("x", cancellationToken: TestContext.Current.CancellationToken).ToListAsync());
        go.Set();
        await blocking;
        Assert.NotNull(await waiting);
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

    private static (long?, long?, long?, long?) Counts(UsageDetails usage) => (usage.InputTokenCount, usage.OutputTokenCount, usage.TotalTokenCount, usage.ReasoningTokenCount);

    private static ChatOptions Settings(int seed) => new() { Temperature = 1, Seed = seed };

    private static GenerationRequest Request(string text, int seed) =>
        new() { Prompt = Format.Prompt([new(ChatRole.User, text)]).Tokens, MaxNewTokens = 60, Temperature = 1, Seed = seed, StopTokens = [Format.End] };

    private static string Thinking(ChatResponse response) =>
        string.Concat(response.Messages.SelectMany(message => message.Contents).OfType<TextReasoningContent>().Select(content => content.Text));
}
