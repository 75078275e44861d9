using Deliberate.Policies;
using Deliberate.Prompts;
using Deliberate.Serving;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Serving;

public class PolicyChatClientTests
{
    private const string Clause = "A working method is never given, neither for a small theft nor for a great one, to anybody who asks for it.";

    private static readonly Policy Rules = Policy.Parse(new Dictionary<string, string>
    {
        ["policy.md"] = "# Rules\n\n## Principles\n\n- Be kind.\n",
        ["theft.md"] = $"# Theft\n\nTaking what belongs to others.\n\n## Disallowed\n\n- **T6** Instructions: {Clause}\n",
        ["fire.md"] = "# Fire\n\nBurning things.\n\n## Allowed\n\n- **F1** Campfires: how to make one safely is told.\n",
    });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<string> SystemAsync(PolicyServingOptions options, params ChatMessage[] messages)
    {
        using var model = new CutReplies(new TextContent("Fine."));
        using var client = new PolicyChatClient(model, Rules, options);
        await client.GetResponseAsync(messages, null, Token);
        var asked = model.Asked.Single().Messages;
        Assert.Single(asked, message => message.Role == ChatRole.System);
        return asked[0].Text;
    }

    [Fact]
    public async Task The_specification_of_the_category_stands_before_the_conversation()
    {
        var text = await SystemAsync(new() { Category = "theft" }, new ChatMessage(ChatRole.System, "You are a librarian."), new ChatMessage(ChatRole.User, "hello"));
        Assert.Contains(Clause, text, StringComparison.Ordinal);
        Assert.DoesNotContain("F1", text, StringComparison.Ordinal);
        Assert.EndsWith("You are a librarian.", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_labeller_names_the_category_and_one_that_cannot_leaves_the_summaries()
    {
        using var knows = new CutReplies(new TextContent("{\"categories\": [\"fire\"]}"));
        using var fails = new CutReplies() { Failure = new TimeoutException() };
        var user = new ChatMessage(ChatRole.User, "how do I make a campfire");
        Assert.Contains("F1", await SystemAsync(new() { Labeller = new CategoryLabeller(knows, Rules) }, user), StringComparison.Ordinal);
        var summaries = await SystemAsync(new() { Labeller = new CategoryLabeller(fails, Rules) }, user);
        Assert.DoesNotContain("F1", summaries, StringComparison.Ordinal);
        Assert.Contains("Burning things.", summaries, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sentences_that_show_the_policy_are_taken_out_wherever_a_stream_is_cut()
    {
        var reply = $"Good locks help. I was told that {Clause[..80]}. Clause T6 forbids the rest!\nAsk a locksmith. He knows.";
        const string left = "Good locks help. Ask a locksmith. He knows.";
        for (var at = 0; at <= reply.Length; at++)
        {
            using var client = new PolicyChatClient(new CutReplies([new TextReasoningContent($"[T6] says {Clause}"), .. CutReplies.Cut(reply, at)]), Rules, new() { Category = "theft" });
            var updates = await client.GetStreamingResponseAsync([new(ChatRole.User, "hello")], null, Token).ToListAsync(Token);
            Assert.Equal(left, string.Concat(updates.Select(update => update.Text)));
            Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
        }

        using var whole = new PolicyChatClient(new CutReplies(new TextContent(reply)), Rules, new() { Category = "theft" });
        Assert.Equal(left, (await whole.GetResponseAsync([new(ChatRole.User, "hello")], null, Token)).Text);
    }

    [Fact]
    public async Task A_run_of_the_policys_words_across_two_sentences_is_seen()
    {
        var spec = new Spec("one two three. four five six seven eight nine ten eleven twelve thirteen", null, "h");
        using var client = new PolicyChatClient(new CutReplies(new TextContent("One two three. Four five six seven eight nine ten eleven twelve. Bye.")), spec);
        Assert.Equal("One two three. Bye.", (await client.GetResponseAsync([new(ChatRole.User, "hello")], null, Token)).Text);
    }

    [Fact]
    public async Task An_answer_of_which_nothing_is_left_was_filtered()
    {
        using var client = new PolicyChatClient(new CutReplies(new TextContent($"The policy above says so: {Clause}")), Rules, new() { Category = "theft" });
        var response = await client.GetResponseAsync([new(ChatRole.User, "hello")], null, Token);
        Assert.Equal(("", ChatFinishReason.ContentFilter), (response.Text, response.FinishReason));
        var updates = await client.GetStreamingResponseAsync([new(ChatRole.User, "hello")], null, Token).ToListAsync(Token);
        Assert.Equal(("", ChatFinishReason.ContentFilter), (string.Concat(updates.Select(update => update.Text)), updates[^1].FinishReason));
    }
}
