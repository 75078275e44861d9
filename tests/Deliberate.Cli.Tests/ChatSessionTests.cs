using Deliberate.Cli.Interaction;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Cli.Tests;

public class ChatSessionTests
{
    private static readonly AIContent[] Script =
        [new TextReasoningContent(" On theft, a story ["), new TextReasoningContent("T2]: comply. "), new TextContent(" Here is "), new TextContent("a story. ")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<(int Code, Streams Streams)> TalkAsync(string input, ScriptedClient client, bool showThinking = false, bool styled = false, params ChatMessage[] system)
    {
        var streams = new Streams(input);
        return (await new ChatSession(streams.Terminal(styled), client, "sft+rl", system, showThinking).RunAsync(Token), streams);
    }

    [Fact]
    public async Task Thoughts_are_hidden_unless_they_are_asked_for()
    {
        var (code, streams) = await TalkAsync("write a story\n", new(Script));
        Assert.Equal((ExitCodes.Success, "Here is a story. \n", ""), (code, streams.Results, streams.Notes));
    }

    [Fact]
    public async Task A_shown_thought_stands_before_the_answer_in_plain_text_when_redirected() =>
        Assert.Equal("thinking: On theft, a story [T2]: comply.\nHere is a story. \n", (await TalkAsync("write a story", new(Script), showThinking: true)).Streams.Results);

    [Fact]
    public async Task On_a_terminal_a_thought_is_dim_and_its_codes_stand_out() =>
        Assert.Equal("\e[2mOn theft, a story \e[0m\e[1;33m[T2]\e[0m\e[2m: comply.\e[0m\nHere is a story. \n", (await TalkAsync("write a story", new(Script), showThinking: true, styled: true)).Streams.Results);

    [Fact]
    public async Task The_conversation_grows_by_answers_without_thoughts_until_it_is_reset()
    {
        var client = new ScriptedClient(Script);
        await TalkAsync("one\n\n two \n/reset\nthree\n/nonsense\n/quit\nfour\n", client, system: new ChatMessage(ChatRole.System, "Policy."));
        Assert.Equal(
            [["system: Policy.", "user: one"], ["system: Policy.", "user: one", "assistant: Here is a story.", "user: two"], ["system: Policy.", "user: three"]],
            client.Asked);
    }

    [Fact]
    public async Task A_prompt_that_cannot_be_answered_is_told_and_forgotten()
    {
        var client = new ScriptedClient(Script) { FailAt = 1 };
        var (code, streams) = await TalkAsync("one\ntwo\nthree\n", client);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Equal(["error: The prompt has 2000 tokens; the model has 1024 positions.", "/reset begins anew."], streams.NoteLines);
        Assert.Equal(["user: one", "assistant: Here is a story.", "user: three"], client.Asked[^1]);
    }

    [Fact]
    public async Task A_thought_without_end_is_said_to_leave_no_answer()
    {
        var (_, streams) = await TalkAsync("one", new(Script[0]) { Reason = ChatFinishReason.Length }, showThinking: true);
        Assert.Equal("thinking: On theft, a story [\n\n", streams.Results);
        Assert.Contains("no answer", Assert.Single(streams.NoteLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_ends_it()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new ChatSession(new Streams("one").Terminal(), new ScriptedClient(Script), "sft", [], false).RunAsync(source.Token));
    }
}
