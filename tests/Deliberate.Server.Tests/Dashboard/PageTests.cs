using System.Net;
using System.Text.RegularExpressions;
using Deliberate.Runs;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Server.Tests.Dashboard;

public sealed partial class PageTests : IDisposable
{
    private readonly MadeRuns _runs = new MadeRuns().World("made-1").World("made-2", better: true).Files("of-files");

    /// <summary>Every page that a visitor can walk to.</summary>
    private static readonly string[] Pages =
    [
        "/dashboard", "/dashboard/runs/made-1", "/dashboard/runs/made-1/samples", "/dashboard/runs/made-1/samples?page=2", "/dashboard/runs/made-1/samples?fate=low-score",
        "/dashboard/runs/made-1/prompt?id=train-0", "/dashboard/runs/made-1/prompt?id=train-5", "/dashboard/runs/made-1/review", "/dashboard/runs/made-1/review?fate=unscored",
        "/dashboard/runs/made-1/rl", "/dashboard/runs/made-1/rl?arm=sft%2Brl&step=2", "/dashboard/runs/made-1/policy", "/dashboard/runs/of-files", "/dashboard/runs/of-files/samples",
        "/dashboard/runs/of-files/samples?fate=leak", "/dashboard/runs/of-files/rl", "/dashboard/runs/of-files/policy", "/dashboard/compare", "/dashboard/compare?a=made-1%2Fbase&b=made-2%2Fsft%2Brl",
        "/dashboard/pareto", "/dashboard/pareto?run=made-1", "/dashboard/chat",
    ];

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Checkpoints_are_shown_with_their_intervals_and_those_that_no_other_beats()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        var page = await visitor.PageAsync("/dashboard/pareto?run=made-1");
        var text = Html.Text(page);
        Assert.Contains(Html.Attribute(page, "aria-label"), label => label.Contains("SFT + RL, step 12: rightly withheld 97", StringComparison.Ordinal));
        Assert.Matches(@"SFT \+ RL 6 91[^a-z]+ yes SFT \+ RL 12 97[^a-z]+ yes SFT \+ RL 14 95[^a-z]+ no", text);
    }

    [Fact]
    public async Task No_thought_is_on_any_page_without_the_audit_right()
    {
        await using var visitor = await Visitor.ToAsync(_runs, options => options.Models = () => [new("made: base", () => new Thinker()), new("made: sft", () => new Thinker())]);
        await visitor.LogInAsync(Visitor.AdminKey);
        foreach (var path in Pages) Assert.DoesNotContain(MadeRuns.Marker, await visitor.PageAsync(path), StringComparison.Ordinal);
        Assert.Contains("takes the right “audit” to read", Html.Text(await visitor.PageAsync("/dashboard/runs/made-1/samples")), StringComparison.Ordinal);
        using var answered = await visitor.PostAsync("/dashboard/chat", "/dashboard/chat", ("first", "made: base"), ("second", "made: sft"), ("message", "hello"));
        var chat = await answered.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(MadeRuns.Marker, chat, StringComparison.Ordinal);
        Assert.Contains("A thought of 3 words", Html.Text(chat), StringComparison.Ordinal);
        Assert.Contains("said: hello", Html.Text(chat), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_auditor_reads_thoughts_and_reasons_folded_away()
    {
        await using var visitor = await Visitor.ToAsync(_runs, options => options.Models = () => [new("made: base", () => new Thinker())]);
        await visitor.LogInAsync(Visitor.AuditKey);
        foreach (var path in (string[])["/dashboard/runs/made-1/samples", "/dashboard/runs/made-1/prompt?id=train-0", "/dashboard/runs/made-1/rl", "/dashboard/compare?a=made-1%2Fbase&b=made-2%2Fsft%2Brl"])
        {
            var page = await visitor.PageAsync(path);
            Assert.Contains(MadeRuns.Marker, page, StringComparison.Ordinal);
            Assert.DoesNotContain(MadeRuns.Marker, WithoutFolds(page), StringComparison.Ordinal);
        }

        using var answered = await visitor.PostAsync("/dashboard/chat", "/dashboard/chat", ("first", "made: base"), ("second", "made: base"), ("message", "hello"));
        Assert.Contains(MadeRuns.Marker, await answered.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_users_asked_is_folded_on_every_page_and_told_by_id_category_and_length()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AuditKey);
        string[] asked = ["how do i pick a lock", "how common is shoplifting", "what does a fence look like", "write a story about a", "asked in step"];
        foreach (var path in Pages)
        {
            var page = await visitor.PageAsync(path);
            Assert.All(asked, words => Assert.DoesNotContain(words, WithoutFolds(page), StringComparison.Ordinal));
        }

        Assert.Contains("prompt train-0: theft, 8 words", Html.Text(await visitor.PageAsync("/dashboard/runs/made-1/samples")), StringComparison.Ordinal);
        Assert.Contains("how do i pick a lock, number 0", Html.Text(await visitor.PageAsync("/dashboard/runs/made-1/samples")), StringComparison.Ordinal);
        Assert.Contains("prompt train-5: weapons, ", Html.Text(await visitor.PageAsync("/dashboard/runs/made-1/prompt?id=train-5")), StringComparison.Ordinal);
        Assert.Contains("prompt rl-3-0: 4 words", Html.Text(await visitor.PageAsync("/dashboard/runs/made-1/rl")), StringComparison.Ordinal);
        var compared = Html.Text(await visitor.PageAsync("/dashboard/compare?a=made-1%2Fsft%2Brl&b=made-2%2Fsft%2Brl"));
        Assert.Matches(@"prompt \d+ \((Harmful|Benign), \d+ words\) — mended by the second", compared);
    }

    [Fact]
    public async Task Pages_are_whole_and_let_nothing_foreign_run()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AuditKey);
        foreach (var path in Pages)
        {
            using var response = await visitor.SendAsync(path);
            var (page, policy) = (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), response.Headers.GetValues("Content-Security-Policy").Single());
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.Null(Html.Unbalanced(page));
            Assert.Empty(Html.Attribute(page, "style"));
            Assert.DoesNotMatch("<script>|<style>| on[a-z]+=\"|javascript:", page);
            // What a prompt says is text, whatever it says.
            Assert.DoesNotContain("<b>robbery", page, StringComparison.Ordinal);
            Assert.All(Html.Attribute(page, "href").Concat(Html.Attribute(page, "src")), link => Assert.Matches("^(/dashboard|#)", link));
        }
    }

    [Fact]
    public async Task Every_link_of_every_page_leads_somewhere()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AuditKey);
        var (seen, waiting) = (new HashSet<string>(), new Queue<string>(Pages));
        while (waiting.TryDequeue(out var path))
        {
            if (!seen.Add(path)) continue;
            var page = await visitor.PageAsync(path);
            if (!path.StartsWith("/dashboard/assets", StringComparison.Ordinal) && Html.Attribute(page, "id") is var ids)
            {
                Assert.Equal(ids.Count, ids.Distinct().Count());
                foreach (var link in Html.Attribute(page, "href").Where(link => link.StartsWith('#') && link.Length > 1)) Assert.Contains(link[1..], ids);
            }

            foreach (var link in Html.Attribute(page, "href").Where(link => link.StartsWith('/'))) waiting.Enqueue(link.Split('#')[0]);
        }

        Assert.True(seen.Count > 40, $"only {seen.Count} pages were found");
    }

    [Fact]
    public async Task A_cited_clause_leads_to_its_text_on_the_policy_page()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        var link = Html.Attribute(await visitor.PageAsync("/dashboard/runs/made-1/samples"), "href").First(address => address.Contains("#clause-T1", StringComparison.Ordinal));
        var policy = await visitor.PageAsync(link.Split('#')[0]);
        Assert.Contains("clause-T1", Html.Attribute(policy, "id"));
        Assert.Contains("robbers belong to literature", Html.Text(policy), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dashboard/runs/..%2Fpolicy")]
    [InlineData("/dashboard/runs/no-such/samples")]
    [InlineData("/dashboard/runs/made-1/prompt?id=no-such")]
    [InlineData("/dashboard/runs/made-1/prompt")]
    [InlineData("/dashboard/assets/..%2Fdashboard.css")]
    public async Task What_is_not_there_is_not_found(string path)
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        using var response = await visitor.SendAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData("?page=banana&min=x&max=&step=-1")]
    [InlineData("?page=99999999999999999999")]
    [InlineData("?category=%00%3Cscript%3E&action=&fate=nonsense&review=nonsense")]
    public async Task An_address_that_says_nonsense_still_gives_a_page(string query)
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        foreach (var part in (string[])["samples", "review", "rl"]) Assert.Null(Html.Unbalanced(await visitor.PageAsync($"/dashboard/runs/made-1/{part}{query}")));
    }

    [Fact]
    public async Task A_run_at_work_is_shown_live_and_stays_undisturbed()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        using var run = RunFolder.Open(_runs.PathOf("at-work"), new(_runs.Policy.Hash, "made-base", 3));
        using (var log = run.Store.OpenLog<Generation.Sample>("generate", "key"))
        {
            var samples = MadeRuns.Samples(30, 1).ToArray();
            foreach (var sample in samples.Take(10)) await log.AddAsync(sample.Id, sample, TestContext.Current.CancellationToken);
            Assert.Contains("generate, 10 samples", Html.Text(await visitor.PageAsync("/dashboard")), StringComparison.Ordinal);
            Assert.Contains("running", Html.Text(await visitor.PageAsync("/dashboard/runs/at-work")), StringComparison.Ordinal);
            foreach (var sample in samples.Skip(10)) await log.AddAsync(sample.Id, sample, TestContext.Current.CancellationToken);
            Assert.Contains("30 of 30 samples", Html.Text(await visitor.PageAsync("/dashboard/runs/at-work/samples")), StringComparison.Ordinal);
        }

        run.Dispose();
        Assert.Contains("stopped", Html.Text(await visitor.PageAsync("/dashboard/runs/at-work")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_runs_are_compared_prompt_by_prompt()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        var page = Html.Text(await visitor.PageAsync("/dashboard/compare?a=made-1%2Fsft%2Brl&b=made-2%2Fsft%2Brl"));
        Assert.Contains("60 prompts were asked of both; 0 only of the first, 0 only of the second", page, StringComparison.Ordinal);
        // 0.95 less 0.7 of 60 prompts, each of which keeps or changes its outcome.
        Assert.Contains("+25.0 points (+", page, StringComparison.Ordinal);
        Assert.Contains("15 prompts.", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Survival_and_recall_stand_beside_each_clause()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        var page = Html.Text(await visitor.PageAsync("/dashboard/runs/made-1/policy"));
        Assert.Matches(@"T3 refuse \d+ \d+ \([\d.]+.%\) 30 100", page);
        Assert.Contains("T1 comply", page, StringComparison.Ordinal);
        Assert.Contains("maybe", page, StringComparison.Ordinal);
    }

    /// <summary>What a page shows while everything on it is folded.</summary>
    internal static string WithoutFolds(string page) => Folds().Replace(page, fold => fold.Value[..(fold.Value.IndexOf("</summary>", StringComparison.Ordinal) + "</summary>".Length)]);

    // Outermost folds, by the balance of their tags.
    [GeneratedRegex("<details(?>(?!<details|</details>).|<details(?<open>)|</details>(?<-open>))*(?(open)(?!))</details>", RegexOptions.Singleline)]
    private static partial Regex Folds();

    private sealed class Thinker : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, [new TextReasoningContent($"{MadeRuns.Marker} two words"), new TextContent($"said: {messages.Last().Text}")])));

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
