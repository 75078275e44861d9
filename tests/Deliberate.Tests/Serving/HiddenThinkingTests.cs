using Deliberate.Conversations;
using Deliberate.Serving;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Serving;

public class HiddenThinkingTests
{
    private const string Thought = "zq9 secret zq9", Answer = "Lock the door. Use a good bolt.";

    private static readonly ChatMessage[] Question = [new(ChatRole.User, "how do I keep thieves out")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // A reply in every way in which models mark their thought, and how its text begins where that has to be known.
    public static TheoryData<string, ThoughtStart> Styles => new()
    {
        { $"<think>{Thought}</think>\n\n{Answer}", ThoughtStart.Unknown },
        { $"<think>{Thought}</think>\n\n{Answer}", ThoughtStart.Answer },
        { $"<thinking>\n{Thought}\n</thinking>{Answer}", ThoughtStart.Unknown },
        { $"<thought>{Thought}</thought>{Answer}", ThoughtStart.Unknown },
        { $"<reasoning>{Thought}</reasoning> {Answer}", ThoughtStart.Unknown },
        { $"[THINK]{Thought}[/THINK]{Answer}", ThoughtStart.Unknown },
        { $"{Thought}</think>{Answer}", ThoughtStart.Unknown },
        { $"{Thought}</think>{Answer}", ThoughtStart.Thought },
        { $"<think>{Thought}</think><think>{Thought}</think>{Answer}", ThoughtStart.Unknown },
        { $"<think>a </think> within, {Thought}</think>{Answer}", ThoughtStart.Unknown },
        { $"<|channel|>analysis<|message|>{Thought}<|end|><|start|>assistant<|channel|>final<|message|>{Answer}<|return|>", ThoughtStart.Unknown },
        { $"analysis{Thought}assistantfinal{Answer}", ThoughtStart.Unknown },
    };

    private static async Task<(string Text, List<ChatResponseUpdate> Updates)> StreamAsync(IChatClient model, HiddenThinkingOptions options, CallContext? context = null)
    {
        using var client = new HiddenThinkingChatClient(model, options);
        var updates = await client.GetStreamingResponseAsync(Question, context?.With(null), Token).ToListAsync(Token);
        return (string.Concat(updates.Select(update => update.Text)), updates);
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task A_stream_shows_the_answer_alone_wherever_it_is_cut(string reply, ThoughtStart start)
    {
        AnswerStreaming[] all = reply.Contains("within", StringComparison.Ordinal) ? [AnswerStreaming.WhenCertain] : Enum.GetValues<AnswerStreaming>();
        foreach (var streaming in all)
        {
            for (var at = 0; at <= reply.Length; at++)
            {
                using var model = new CutReplies(CutReplies.Cut(reply, at));
                var (text, updates) = await StreamAsync(model, new() { Start = start, Streaming = streaming });
                Assert.Equal(Answer, text.Trim());
                Assert.DoesNotContain(updates, update => update.Contents.OfType<TextReasoningContent>().Any());
                Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
            }

            using var letters = new CutReplies(CutReplies.Cut(reply, [.. Enumerable.Range(1, reply.Length - 1)]));
            Assert.Equal(Answer, (await StreamAsync(letters, new() { Start = start, Streaming = streaming })).Text.Trim());
        }
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task A_whole_reply_shows_the_answer_alone(string reply, ThoughtStart start)
    {
        using var client = new HiddenThinkingChatClient(new CutReplies(new TextContent(reply)), new() { Start = start });
        var response = await client.GetResponseAsync(Question, null, Token);
        Assert.Equal(Answer, response.Text);
        Assert.Single(Assert.Single(response.Messages).Contents);
        Assert.Equal(4, response.Usage!.ReasoningTokenCount);
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task A_reply_that_is_cut_within_its_thought_has_no_text_and_says_so(string reply, ThoughtStart start)
    {
        // Nothing tells a thought without any mark from an answer, unless it is known how the text begins.
        if (start == ThoughtStart.Unknown && reply[0] is not ('<' or '[' or 'a')) return;
        var (first, last) = (reply.IndexOf("zq9", StringComparison.Ordinal), reply.LastIndexOf(Thought, StringComparison.Ordinal) + Thought.Length);
        for (var length = first + 1; length <= last; length++)
        {
            if (reply[..length].Contains("</think>", StringComparison.Ordinal)) break; // what follows may have been an answer
            var cut = reply[..length];
            // A harmony reply without its tokens is known by its end only.
            if (cut.StartsWith("analysis", StringComparison.Ordinal)) continue;
            using var model = new CutReplies(CutReplies.Cut(cut, length / 2)) { Finish = ChatFinishReason.Length };
            var (text, updates) = await StreamAsync(model, new() { Start = start });
            Assert.Equal("", text);
            Assert.Equal(ChatFinishReason.Length, updates[^1].FinishReason);
            using var client = new HiddenThinkingChatClient(model, new() { Start = start });
            var response = await client.GetResponseAsync(Question, null, Token);
            Assert.Equal("", response.Text);
            Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        }
    }

    [Fact]
    public async Task A_thought_that_comes_apart_is_left_out_and_the_answer_streamed_as_it_comes()
    {
        using var model = new CutReplies(new TextReasoningContent("zq9"), new TextReasoningContent(" secret"), new TextContent("Lock "), new TextContent("the door."));
        var (text, updates) = await StreamAsync(model, new());
        Assert.Equal("Lock the door.", text);
        Assert.Equal(3, updates.Count);
    }

    [Theory]
    [InlineData(ThoughtStart.Unknown)]
    [InlineData(ThoughtStart.Thought)]
    [InlineData(ThoughtStart.Answer)]
    public async Task A_thought_that_a_client_told_apart_by_its_marks_may_turn_out_to_be_longer(ThoughtStart start)
    {
        // What a client makes of <think>zq9 secret</think> more zq9</think>Lock the door., as it comes.
        AIContent[] pieces = [MarkedThought.Content("zq9 "), MarkedThought.Content("secret"), new TextContent("more "), new TextContent("zq9"), new TextContent("</thi"), new TextContent("nk>"), new TextContent("Lock "), new TextContent("the door.")];
        foreach (var streaming in (AnswerStreaming[])[AnswerStreaming.WhenCertain, AnswerStreaming.WhenWhole])
        {
            using var model = new CutReplies(pieces);
            var (text, updates) = await StreamAsync(model, new() { Start = start, Streaming = streaming });
            Assert.Equal("Lock the door.", text);
            Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
            var (_, seen) = await StreamAsync(model, new() { Start = start, Streaming = streaming }, new(ShowThinking: true));
            Assert.Equal("zq9 secretmore zq9", string.Concat(seen.SelectMany(update => update.Contents).OfType<TextReasoningContent>().Select(content => content.Text)));
        }
    }

    [Fact]
    public async Task A_thought_that_a_servers_parser_ended_too_early_is_kept_back_where_answers_wait_until_they_are_whole()
    {
        using var model = new CutReplies(new TextReasoningContent("zq9 secret"), new TextContent("more zq9"), new TextContent("</think>"), new TextContent("Lock the door."));
        Assert.Equal("Lock the door.", (await StreamAsync(model, new() { Streaming = AnswerStreaming.WhenWhole })).Text);
    }

    [Fact]
    public async Task An_answer_after_a_marked_thought_waits_until_it_is_whole_unless_the_first_mark_counts()
    {
        using var model = new CutReplies(MarkedThought.Content("zq9"), new TextContent("Lock "), new TextContent("the door."));
        Assert.Equal(["Lock the door."], (await StreamAsync(model, new())).Updates.Select(update => update.Text).Where(text => text.Length > 0));
        Assert.Equal(["Lock ", "the door."], (await StreamAsync(model, new() { Streaming = AnswerStreaming.AsTheyCome })).Updates.Select(update => update.Text).Where(text => text.Length > 0));
    }

    [Fact]
    public async Task Whoever_may_see_the_thought_gets_it_as_reasoning_content()
    {
        foreach (var model in (CutReplies[])[new(new TextReasoningContent(Thought), new TextContent(Answer)), new(CutReplies.Cut($"<think>{Thought}</think>{Answer}", 10))])
        {
            var (text, updates) = await StreamAsync(model, new(), new(ShowThinking: true));
            Assert.Equal(Answer, text);
            Assert.Equal(Thought, string.Concat(updates.SelectMany(update => update.Contents).OfType<TextReasoningContent>().Select(content => content.Text)));
            Assert.Null(model.Asked[0].Options?.AdditionalProperties?.Keys.FirstOrDefault());
        }
    }

    [Fact]
    public async Task No_field_beside_the_contents_is_handed_on()
    {
        using var model = new CutReplies(new TextContent(Answer) { AdditionalProperties = new() { ["reasoning"] = Thought }, RawRepresentation = Thought })
        {
            Change = response =>
            {
                response.RawRepresentation = Thought;
                response.AdditionalProperties = new() { ["reasoning_content"] = Thought };
                response.Messages[0].AdditionalProperties = new() { ["reasoning"] = Thought };
                response.Messages[0].RawRepresentation = Thought;
                response.Messages[0].Contents.Add(new ErrorContent(Thought) { ErrorCode = Thought, Details = Thought });
            },
        };
        using var client = new HiddenThinkingChatClient(model);
        var response = await client.GetResponseAsync(Question, null, Token);
        Assert.Equal(Answer, response.Text);
        Assert.DoesNotContain("zq9", System.Text.Json.JsonSerializer.Serialize(response, AIJsonUtilities.DefaultOptions), StringComparison.Ordinal);
        Assert.Null(response.RawRepresentation);
        Assert.Null(response.Messages[0].RawRepresentation);
    }

    [Fact]
    public async Task A_failing_model_is_not_quoted()
    {
        using var model = new CutReplies(CutReplies.Cut($"<think>{Thought}", 4)) { Failure = new InvalidOperationException($"cannot parse: {Thought}", new FormatException(Thought)) };
        using var client = new HiddenThinkingChatClient(model);
        var whole = await Assert.ThrowsAsync<ModelFailedException>(() => client.GetResponseAsync(Question, null, Token));
        var streamed = await Assert.ThrowsAsync<ModelFailedException>(async () => await client.GetStreamingResponseAsync(Question, null, Token).ToListAsync(Token));
        Assert.All([whole, streamed], failure =>
        {
            Assert.DoesNotContain("zq9", failure.ToString(), StringComparison.Ordinal);
            Assert.Null(failure.InnerException);
            Assert.Equal("InvalidOperationException", failure.Kind);
        });
    }

    [Fact]
    public async Task A_cancelled_call_stays_a_cancelled_call_without_the_models_words()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        using var client = new HiddenThinkingChatClient(new CutReplies() { Failure = new OperationCanceledException(Thought) });
        var failure = await Assert.ThrowsAsync<OperationCanceledException>(() => client.GetResponseAsync(Question, null, source.Token));
        Assert.DoesNotContain("zq9", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Calls_of_tools_are_handed_on()
    {
        using var client = new HiddenThinkingChatClient(new CutReplies(new TextReasoningContent(Thought), new FunctionCallContent("c1", "look_up")));
        var response = await client.GetResponseAsync(Question, null, Token);
        Assert.Equal("look_up", response.Messages[0].Contents.OfType<FunctionCallContent>().Single().Name);
    }
}
