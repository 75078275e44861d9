using Deliberate.Server.Tests.Dashboard;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Deliberate.Dashboard.Tests;

/// <summary>Walks every page in a real browser and looks at what a person sees.</summary>
public sealed class WalkTests(Chromium chromium)
{
    /// <summary>Each page: a name for its picture, where it is, and words that a visitor must see on it.</summary>
    private static readonly (string Name, string Path, string Seen)[] Pages =
    [
        ("runs", "/dashboard", "first-run"), ("run", "/dashboard/runs/first-run", "Expected, and found"), ("run-of-files", "/dashboard/runs/own-prompts", "Figures on held-out prompts"),
        ("samples", "/dashboard/runs/first-run/samples", "32 of 32 samples"), ("prompt", "/dashboard/runs/first-run/prompt?id=train-1", "What was asked"),
        ("review", "/dashboard/runs/first-run/review", "Approve"), ("rl", "/dashboard/runs/first-run/rl", "Rollouts"), ("policy", "/dashboard/runs/first-run/policy", "Survival and recall by clause"),
        ("compare", "/dashboard/compare?a=first-run%2Fsft%2Brl&b=second-run%2Fsft%2Brl", "Differences"), ("pareto", "/dashboard/pareto?run=first-run", "On the front"), ("chat", "/dashboard/chat", "Ask both"),
        ("audit", "/dashboard/audit", "records 1 to 60"), ("exchange", "/dashboard/audit/55", "What was said"),
    ];

    [Theory]
    [InlineData(1600, ColorScheme.Light)]
    [InlineData(1600, ColorScheme.Dark)]
    [InlineData(400, ColorScheme.Light)]
    [InlineData(400, ColorScheme.Dark)]
    public async Task Every_page_shows_its_content_and_fits_the_window(int width, ColorScheme scheme)
    {
        await using var window = await chromium.WindowAsync(width, 900, scheme);
        await using var site = await Site.OpenAsync();
        var page = await site.LogInAsync(window);
        foreach (var (name, path, seen) in Pages)
        {
            await page.GotoAsync(site.Address + path);
            await Expect(page.GetByRole(AriaRole.Main)).ToContainTextAsync(seen);
            await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveCountAsync(1);
            // Tables scroll within themselves; the page does not scroll sideways.
            var wide = await page.EvaluateAsync<string[]>("""
                document.documentElement.scrollWidth <= innerWidth ? []
                    : [...document.querySelectorAll('body *')].filter(part => part.getBoundingClientRect().right > innerWidth && !part.closest('.scroll')).map(part => part.outerHTML.slice(0, 120)).concat('the page')
                """);
            Assert.True(wide.Length == 0, $"{name} is wider than {width} pixels: {string.Join('\n', wide)}");
            var dark = await page.EvaluateAsync<bool>("(() => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number); return r + g + b < 200; })()");
            Assert.Equal(scheme == ColorScheme.Dark, dark);
            await Site.PictureAsync(page, $"dashboard-{name}-{width}-{scheme.ToString().ToLowerInvariant()}", (width, scheme) == (1600, ColorScheme.Light) && name is "samples" or "rl" or "compare" or "audit" ? $"dashboard-{name}" : null);
        }

        // The pages' security policy would tell here what it kept from running.
        Assert.Empty(site.Complaints);
    }

    [Fact]
    public async Task What_models_wrote_is_folded_until_it_is_asked_for()
    {
        await using var window = await chromium.WindowAsync();
        await using var site = await Site.OpenAsync();
        var page = await site.LogInAsync(window);
        await page.GotoAsync(site.Address + "/dashboard/runs/first-run/samples?fate=kept");
        var card = page.GetByRole(AriaRole.Article).First;
        await Expect(card.GetByText("Here is an answer of the kind")).ToBeHiddenAsync();
        await Expect(card.GetByText("how do i pick a lock").First).ToBeHiddenAsync();
        await card.GetByText("prompt train-0: theft").ClickAsync();
        await Expect(card.GetByText("how do i pick a lock").First).ToBeVisibleAsync();
        await card.GetByText("answer, verdicts and training example").ClickAsync();
        await Expect(card.GetByText("Here is an answer of the kind").First).ToBeVisibleAsync();
        await Expect(card.GetByText(MadeRuns.Marker + " the reader asks")).ToBeHiddenAsync();
        await card.GetByText("Show thinking").ClickAsync();
        await Expect(card.GetByText(MadeRuns.Marker + " the reader asks")).ToBeVisibleAsync();
        await Expect(card.GetByText("The conversation without the policy")).ToBeVisibleAsync();
        await card.GetByRole(AriaRole.Link, new() { Name = "T1" }).First.ClickAsync();
        await Expect(page.Locator("#clause-T1")).ToBeInViewportAsync();
    }

    [Fact]
    public async Task Without_the_audit_right_a_thought_is_told_by_its_length_alone()
    {
        await using var window = await chromium.WindowAsync();
        await using var site = await Site.OpenAsync();
        var page = await site.LogInAsync(window, Site.AdminKey);
        foreach (var (_, path, _) in Pages)
        {
            await page.GotoAsync(site.Address + path);
            Assert.DoesNotContain(MadeRuns.Marker, await page.ContentAsync(), StringComparison.Ordinal);
        }

        await page.GotoAsync(site.Address + "/dashboard/runs/first-run/prompt?id=train-0");
        await page.GetByText("answer, verdicts and training example").First.ClickAsync();
        await Expect(page.GetByText("which takes the right “audit” to read").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Filters_narrow_the_list_and_pages_lead_on()
    {
        await using var window = await chromium.WindowAsync();
        await using var site = await Site.OpenAsync();
        var page = await site.LogInAsync(window);
        await page.GotoAsync(site.Address + "/dashboard/runs/first-run/samples");
        await Expect(page.GetByRole(AriaRole.Article)).ToHaveCountAsync(25);
        await page.GetByRole(AriaRole.Link, new() { Name = "Next" }).First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Article)).ToHaveCountAsync(7);
        await page.GetByLabel("Category").SelectOptionAsync("theft");
        await page.GetByLabel("Outcome").SelectOptionAsync("low-score");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("of 32 samples");
        foreach (var card in await page.GetByRole(AriaRole.Article).AllAsync())
        {
            await Expect(card).ToContainTextAsync("category theft");
            await Expect(card).ToContainTextAsync("score too low");
        }

        await Expect(page.GetByLabel("Category")).ToHaveValueAsync("theft");
    }

    [Fact]
    public async Task A_review_is_made_with_the_keyboard_alone()
    {
        await using var window = await chromium.WindowAsync();
        await using var site = await Site.OpenAsync();
        var page = await window.NewPageAsync();
        await page.GotoAsync(site.Address + "/dashboard/runs/first-run/review");
        // The key's field has the focus when the page comes.
        await page.Keyboard.TypeAsync(Site.AuditKey);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Review");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByText("Skip to the content")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        foreach (var (place, words) in ((int, string)[])[(0, "prompt train-0"), (1, "answer, verdicts")])
        {
            await TabToAsync(page, "summary", words);
            Assert.NotEqual("none", await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
            await page.Keyboard.PressAsync("Enter");
            await Expect(page.GetByRole(AriaRole.Article).Locator("details.fold").Nth(place)).ToHaveAttributeAsync("open", "");
        }

        await TabToAsync(page, "button", "Reject");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("31 to look at");
        Assert.Contains("\"by\":\"audrey\"", await File.ReadAllTextAsync(site.Runs.PathOf("first-run", "reviews.jsonl"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1600)]
    [InlineData(400)]
    public async Task The_audit_log_is_read_with_the_keyboard_alone(int width)
    {
        await using var window = await chromium.WindowAsync(width);
        await using var site = await Site.OpenAsync();
        var page = await window.NewPageAsync();
        await page.GotoAsync(site.Address + "/dashboard/login");
        await page.Keyboard.TypeAsync(Site.AuditorKey);
        await page.Keyboard.PressAsync("Enter");
        // Who may do nothing else is led here.
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Audit log");
        await Expect(page.GetByRole(AriaRole.Navigation, new() { Name = "Dashboard" }).GetByRole(AriaRole.Link)).ToHaveCountAsync(1);
        await TabToAsync(page, "button", "Check the chain");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("The chain holds")).ToBeVisibleAsync();
        await TabToAsync(page, "a", "Older");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("35 to 11, newest first");
        await TabToAsync(page, "a", "35");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Exchange 35");
        await Expect(page.GetByText(MadeRuns.Marker)).ToBeHiddenAsync();
        await TabToAsync(page, "summary", "thought");
        Assert.NotEqual("none", await page.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText(MadeRuns.Marker)).ToBeVisibleAsync();
        await Site.PictureAsync(page, $"dashboard-exchange-unfolded-{width}");
        await TabToAsync(page, "a", "T3");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#clause-T3")).ToBeInViewportAsync();
    }

    [Fact]
    public async Task A_box_unfolds_all_texts_and_is_remembered()
    {
        await using var window = await chromium.WindowAsync();
        await using var site = await Site.OpenAsync();
        var page = await site.LogInAsync(window);
        await page.GotoAsync(site.Address + "/dashboard/runs/first-run/samples");
        await Expect(page.GetByText("how do i pick a lock").First).ToBeHiddenAsync();
        await page.GetByLabel("Unfold texts").CheckAsync();
        await Expect(page.GetByText("how do i pick a lock").First).ToBeVisibleAsync();
        await page.GotoAsync(site.Address + "/dashboard/audit/35");
        await Expect(page.GetByText(MadeRuns.Marker)).ToBeVisibleAsync();
        await page.GetByLabel("Unfold texts").UncheckAsync();
        await Expect(page.GetByText(MadeRuns.Marker)).ToBeHiddenAsync();
        await page.GotoAsync(site.Address + "/dashboard/runs/first-run/rl");
        await Expect(page.GetByText("asked in step").First).ToBeHiddenAsync();
        Assert.Empty(site.Complaints);
    }

    [Fact]
    public async Task Two_models_answer_side_by_side_and_remember_what_was_said()
    {
        await using var window = await chromium.WindowAsync(scripts: false);
        await using var site = await Site.OpenAsync();
        var page = await site.LogInAsync(window);
        await page.GotoAsync(site.Address + "/dashboard/chat");
        await page.GetByLabel("Message").FillAsync("the history of locks");
        await page.GetByRole(AriaRole.Button, new() { Name = "Ask both" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "first-run: base" })).ToContainTextAsync("(turn 1)");
        await page.GetByLabel("Message").FillAsync("and of keys");
        await page.GetByRole(AriaRole.Button, new() { Name = "Ask both" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "first-run: sft+rl" })).ToContainTextAsync("I can tell you in general of “and of keys” (turn 2)");
        await Expect(page.GetByText(MadeRuns.Marker).First).ToBeHiddenAsync();
        await Site.PictureAsync(page, "dashboard-chat-answered");
    }

    [Fact]
    public async Task A_run_at_work_is_kept_up_to_date_without_a_reload()
    {
        await using var window = await chromium.WindowAsync();
        await using var site = await Site.OpenAsync();
        using var run = Deliberate.Runs.RunFolder.Open(site.Runs.PathOf("at-work"), new(site.Runs.Policy.Hash, "made-base", 3));
        using var log = run.Store.OpenLog<Generation.Sample>("generate", "key");
        var samples = MadeRuns.Samples(40, 1).ToArray();
        await log.AddAsync(samples[0].Id, samples[0], TestContext.Current.CancellationToken);
        var page = await site.LogInAsync(window);
        await Expect(page.GetByText("generate, 1 samples")).ToBeVisibleAsync();
        foreach (var sample in samples) await log.AddAsync(sample.Id, sample, TestContext.Current.CancellationToken);
        await Expect(page.GetByText("generate, 40 samples")).ToBeVisibleAsync(new() { Timeout = 30_000 });
        await Expect(page.GetByText("running", new() { Exact = true })).ToBeVisibleAsync();
    }

    private static async Task TabToAsync(IPage page, string tag, string words)
    {
        for (var i = 0; i < 60; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<bool>("([tag, words]) => document.activeElement.matches(tag) && document.activeElement.textContent.includes(words)", new[] { tag, words })) return;
        }

        Assert.Fail($"no {tag} with “{words}” was reached with the Tab key");
    }
}
