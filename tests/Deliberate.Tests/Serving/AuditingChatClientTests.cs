using Deliberate.Auditing;
using Deliberate.Policies;
using Deliberate.Serving;
using Deliberate.Tests.Runs;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Deliberate.Tests.Serving;

public sealed class AuditingChatClientTests : IDisposable
{
    private static readonly Policy Rules = Policy.Parse(new Dictionary<string, string>
    {
        ["policy.md"] = "# Rules\n\n## Principles\n\n- Be kind.\n",
        ["theft.md"] = "# Theft\n\nTaking what belongs to others.\n\n## Disallowed\n\n- **T6** Instructions: a working method is never given to anybody.\n",
    });

    private static readonly ChatMessage[] Question = [new(ChatRole.User, "hello")];

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    private async Task<AuditExchange> AuditedAsync(IChatClient model, Func<IChatClient, Task> use)
    {
        await using var log = AuditLog.Open(_folder["log"]);
        using (var client = new AuditingChatClient(model, log, new("m", "f", Rules))) await use(client);
        return log.Read(log.Last - 1, 10).Single().Exchange;
    }

    [Fact]
    public async Task An_exchange_is_kept_with_its_thought_and_the_clauses_that_it_cites()
    {
        var context = new CallContext("k1", Id: "r1");
        foreach (var streamed in (bool[])[false, true])
        {
            using var model = new CutReplies(CutReplies.Cut("<think>[T6] and [T9] apply.</think>No.", 3));
            var kept = await AuditedAsync(model, async client =>
            {
                if (streamed) await client.GetStreamingResponseAsync(Question, context.With(null), Token).ToListAsync(Token);
                else await client.GetResponseAsync(Question, context.With(null), Token);
            });
            Assert.Equal(("r1", "k1", "m", "f", Rules.Hash), (kept.Id, kept.Caller, kept.Model, kept.Fingerprint, kept.PolicyHash));
            Assert.Equal(("hello", "[T6] and [T9] apply.", "No."), (kept.Conversation!.Single().Text, kept.Thinking, kept.Answer));
            Assert.Equal([new("T6", true), new("T9", false)], kept.Citations);
            Assert.Equal((AuditOutcome.Answered, 7, 4), (kept.Outcome, kept.OutputTokens, kept.ReasoningTokens));
            Assert.All(model.Asked, asked => Assert.Empty(asked.Options?.AdditionalProperties ?? []));
        }
    }

    [Fact]
    public async Task Failures_cut_replies_and_streams_that_a_caller_leaves_are_kept_too()
    {
        var failed = await AuditedAsync(new CutReplies(new TextReasoningContent("hm")) { Failure = new TimeoutException("too slow") }, async client =>
            await Assert.ThrowsAsync<TimeoutException>(async () => await client.GetStreamingResponseAsync(Question, null, Token).ToListAsync(Token)));
        Assert.Equal((AuditOutcome.Failed, "hm", "TimeoutException: too slow"), (failed.Outcome, failed.Thinking, failed.Error));

        var cut = await AuditedAsync(new CutReplies(new TextContent("<think>hm")) { Finish = ChatFinishReason.Length }, client => client.GetResponseAsync(Question, null, Token));
        Assert.Equal((AuditOutcome.Truncated, "hm", ""), (cut.Outcome, cut.Thinking, cut.Answer));

        var left = await AuditedAsync(new CutReplies(new TextReasoningContent("hm"), new TextContent("One. "), new TextContent("Two.")), async client =>
        {
            await foreach (var update in client.GetStreamingResponseAsync(Question, null, Token))
                if (update.Text.Length > 0) break;
        });
        Assert.Equal((AuditOutcome.BrokenOff, "hm"), (left.Outcome, left.Thinking));
    }

    [Fact]
    public async Task Without_a_record_there_is_no_answer()
    {
        var log = AuditLog.Open(_folder["log"]);
        await log.DisposeAsync();
        using var client = new AuditingChatClient(new CutReplies(new TextContent("No.")), log, new("m"));
        Assert.Equal(ModelFailedException.AuditLog, (await Assert.ThrowsAsync<ModelFailedException>(() => client.GetResponseAsync(Question, null, Token))).Kind);
        var seen = new List<ChatResponseUpdate>();
        await Assert.ThrowsAsync<ModelFailedException>(async () =>
        {
            await foreach (var update in client.GetStreamingResponseAsync(Question, null, Token)) seen.Add(update);
        });
        Assert.DoesNotContain(seen, update => update.FinishReason is not null);
    }

    [Fact]
    public async Task An_application_gets_it_all_in_one_line()
    {
        using var model = new CutReplies(CutReplies.Cut("<think>[T6] applies.</think>I cannot help with that. Clause T6 forbids it.", 9));
        var services = new ServiceCollection();
        services.AddDeliberate(_ => model, new() { Policy = Rules, InContext = new() { Category = "theft" }, AuditFolder = _folder["log"], Model = "mine" });
        await using var provider = services.BuildServiceProvider();
        var response = await provider.GetRequiredService<IChatClient>().GetResponseAsync(Question, new CallContext("alice").With(null), Token);
        Assert.Equal("I cannot help with that.", response.Text);
        Assert.Contains("a working method is never given", model.Asked.Single().Messages[0].Text, StringComparison.Ordinal);
        var kept = provider.GetRequiredService<AuditLog>().Read(0, 10).Single().Exchange;
        Assert.Equal(("mine", "alice", "theft", 1, "[T6] applies."), (kept.Model, kept.Caller, kept.Category, kept.Stripped, kept.Thinking));
        Assert.Equal("hello", Assert.Single(kept.Conversation!).Text);
    }
}
