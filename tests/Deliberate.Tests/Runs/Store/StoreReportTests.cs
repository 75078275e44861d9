using Deliberate.Policies;
using Deliberate.Runs.Store;
using Deliberate.Tests.Policies;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Tests.Runs.Store;

public sealed class StoreReportTests : IDisposable
{
    private static readonly Policy Rules = Written.Policy();

    private readonly TemporaryFolder _folder = new();
    private readonly ResponseStore _store;

    public StoreReportTests() => _store = ResponseStore.Open(_folder["store.db"]);

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    // Four prompts on theft, two on pets, one without a policy; two judge runs on each of the first six.
    private async Task FillAsync(string run, string judge = "j1", Policy? policy = null)
    {
        policy ??= Rules;
        using var generator = StoreSamples.Numbered().UseResponseStore(_store, StoreSamples.Context(run));
        using var judging = StoreSamples.Numbered().UseResponseStore(_store, StoreSamples.Context(run, "judge", judge));
        for (var i = 0; i < 6; i++)
        {
            var spec = policy.Spec(i < 4 ? "theft" : "pets");
            await generator.AskAsync($"q{i}", $"p{i}", spec: spec, template: "g1");
            for (var k = 0; k < 2; k++) await judging.AskAsync($"judge {i}", $"p{i}#0", k, spec, "v1");
        }

        await generator.AskAsync("plain", "p6");
        await _store.FlushAsync();
    }

    private static string Groups(Staleness staleness) => string.Join("; ", staleness.Groups.Select(group => $"{group.Stage} {group.Category ?? "-"} {group.Reason} {group.Responses}"));

    [Fact]
    public async Task Nothing_is_stale_while_nothing_changes()
    {
        await FillAsync("a");
        var staleness = Staleness.Of(_store, new(Rules, Models: new Dictionary<string, string> { ["judge"] = "j1" }, Templates: new Dictionary<string, string> { ["generate"] = "g1", ["judge"] = "v1" }), "a");
        Assert.Equal("generate - Template 1; generate pets None 2; generate theft None 4; judge pets None 4; judge theft None 8", Groups(staleness));
        Assert.Equal((19, 0), (Staleness.Of(_store, new()).Valid, Staleness.Of(_store, new(Rules)).Stale));
        Assert.Equal(19, Staleness.Of(_store, new(Rules, TokenBudget: 4096)).Valid);
    }

    [Fact]
    public async Task A_changed_clause_makes_its_own_category_stale_alone()
    {
        await FillAsync("a");
        var changed = Rules.WithClauseAction("P1", PolicyAction.Refuse);
        Assert.NotEqual(Rules.Hash, changed.Hash);
        Assert.Equal("generate - None 1; generate pets Specification 2; generate theft None 4; judge pets Specification 4; judge theft None 8", Groups(Staleness.Of(_store, new(changed))));
        // A summary stands in every specification, the principles too.
        Assert.Equal((1, 18), Counts(Written.Policy(pets: Written.Pets.Replace("Animals at home.", "Beasts.", StringComparison.Ordinal))));
        Assert.Equal((1, 18), Counts(Written.Policy(main: Written.Main.Replace("Help first", "Help at once", StringComparison.Ordinal))));
        Assert.Equal("generate - None 1; generate pets CategoryGone 2; generate theft Specification 4; judge pets CategoryGone 4; judge theft Specification 8", Groups(Staleness.Of(_store, new(Written.Policy(pets: null)))));

        (long, long) Counts(Policy policy) => Staleness.Of(_store, new(policy)) is var staleness ? (staleness.Valid, staleness.Stale) : default;
    }

    [Fact]
    public async Task The_forecast_agrees_with_what_is_then_paid_for()
    {
        await FillAsync("a");
        var changed = Rules.WithClauseAction("T2", PolicyAction.Refuse);
        var forecast = Staleness.Of(_store, new(changed));
        var before = StoreSummary.Of(_store).Responses;
        await FillAsync("b", policy: changed);
        Assert.Equal(forecast.Stale, StoreSummary.Of(_store).Responses - before);
    }

    [Fact]
    public async Task Another_judge_makes_verdicts_stale_and_no_sample()
    {
        await FillAsync("a");
        var staleness = Staleness.Of(_store, new(Rules, Models: new Dictionary<string, string> { ["judge"] = "j2" }));
        Assert.Equal("generate - None 1; generate pets None 2; generate theft None 4; judge pets Model 4; judge theft Model 8", Groups(staleness));
        Assert.Equal((7, 12), (staleness.Valid, staleness.Stale));
        var text = RunsText.Of(staleness);
        Assert.StartsWith("7 responses are valid, 12 are stale\n", text, StringComparison.Ordinal);
        Assert.Contains("judge     theft     stale: another model          8", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_runs_are_compared_by_stage_and_setting()
    {
        await FillAsync("a");
        await FillAsync("b", "j2", Rules.WithClauseAction("P1", PolicyAction.Refuse));
        var difference = RunDifference.Between(_store, "a", "b");
        Assert.Equal([new("generate", 5, 2, 0, 0), new("judge", 0, 12, 0, 0)], difference.Stages);
        Assert.Equal(2, difference.Settings.Count);
        Assert.StartsWith("policy ", difference.Settings[0], StringComparison.Ordinal);
        Assert.Equal("judge: model j1, then j2", difference.Settings[1]);
        Assert.Contains("generate     5          2", RunsText.Difference(difference), StringComparison.Ordinal);

        using (var client = StoreSamples.Numbered().UseResponseStore(_store, StoreSamples.Context("c"))) await client.AskAsync("plain", "p6");
        await _store.FlushAsync();
        Assert.Equal([new("generate", 1, 0, 6, 0), new("judge", 0, 0, 12, 0)], RunDifference.Between(_store, "a", "c").Stages);
        Assert.Equal([new("generate", 1, 0, 0, 6), new("judge", 0, 0, 0, 12)], RunDifference.Between(_store, "c", "a").Stages);
        Assert.Contains("known are a, b, c", Assert.Throws<ArgumentException>(() => RunDifference.Between(_store, "a", "d")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_summary_counts_what_each_run_paid_and_reused()
    {
        await _store.AddAsync(StoreSamples.Received("q", Answer(100), "a", cost: 0.25m));
        await _store.AddAsync(StoreSamples.Received("r", Answer(50), "b", prompt: "p2", cost: 0.5m));
        await _store.AddUseAsync(StoreSamples.Received("q", Answer(0)).Key, new("b", "generate", "p1"));
        await _store.AddUseAsync(StoreSamples.Received("q", Answer(0)).Key, new("b", "generate", "p1 under another id"));
        await _store.AddFailureAsync(StoreSamples.Received("s", Answer(0)).Key, new("b", "judge", "p3"), 1, "m1", "timeout");
        var summary = StoreSummary.Of(_store);
        Assert.Equal((2, 2), (summary.Responses, summary.Requests));
        Assert.Equal(new StageUse("generate", "m1", null, 1, 1, 10, 100, 0.25m), Assert.Single(summary.Runs[0].Stages));
        Assert.Equal(new StageUse("generate", "m1", null, 2, 1, 10, 50, 0.5m), Assert.Single(summary.Runs[1].Stages));
        Assert.Equal([("judge", 1L)], summary.Runs[1].Failures);

        var list = RunsText.List(summary).Split('\n');
        Assert.Contains(": 2 responses to 2 requests, ", list[0], StringComparison.Ordinal);
        Assert.Matches(@"^b +\d{4}-.* UTC  generate +2 +1 +1 +1 +\$0\.50$", list[^1]);
        var show = RunsText.Show(summary.Find("b"), _store.Failures("b"));
        Assert.Contains("1 calls failed: 1 in judge.", show, StringComparison.Ordinal);
        Assert.Matches(@"judge +p3 +1 +1 +timeout$", show);
    }

    [Fact]
    public async Task Cleaning_deletes_what_only_the_named_runs_use_and_keeps_the_rest()
    {
        await FillAsync("a");
        await FillAsync("b", "j2");
        await _store.AddFailureAsync(StoreSamples.Received("s", Answer(0)).Key, new("a", "judge", "p3"), 0, "m1", "timeout");
        var request = new CleaningRequest(["a"]);
        Assert.Equal((12, 19), (StoreCleaning.Plan(_store, request).Responses, StoreCleaning.Plan(_store, request).Kept));
        Assert.Equal(31, StoreSummary.Of(_store).Responses);
        Assert.Equal(12, (await StoreCleaning.ApplyAsync(_store, request)).Responses);

        var summary = StoreSummary.Of(_store);
        Assert.Equal((19, "b"), (summary.Responses, Assert.Single(summary.Runs).Run));
        Assert.Equal([1L, 6L, 12L], summary.Runs[0].Stages.Select(stage => stage.Responses));
        Assert.Empty(_store.Failures());
        // What is gone is asked again, what stayed is not; a run may come back.
        await FillAsync("a", "j2");
        Assert.Equal(19, StoreSummary.Of(_store).Responses);
        await FillAsync("a");
        Assert.Equal(31, StoreSummary.Of(_store).Responses);
        Assert.Contains("no run 'z'", (await Assert.ThrowsAsync<ArgumentException>(() => StoreCleaning.ApplyAsync(_store, new(["z"])))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cleaning_what_is_stale_leaves_what_is_valid_and_gives_the_room_back()
    {
        await FillAsync("a");
        var changed = Rules.WithClauseAction("P1", PolicyAction.Refuse);
        Assert.Equal(6, (await StoreCleaning.ApplyAsync(_store, new([], new(changed)))).Responses);
        Assert.Equal((13, 0), (Staleness.Of(_store, new(changed)).Valid, Staleness.Of(_store, new(changed)).Stale));
        Assert.Equal("a", Assert.Single(StoreSummary.Of(_store).Runs).Run);
        Assert.Single(_store.Rows("SELECT id FROM spec"));
        var before = StoreSummary.Of(_store).Bytes;
        StoreCleaning.Compact(_store.FilePath);
        Assert.InRange(StoreSummary.Of(_store).Bytes, 1, before);
        Assert.Equal(13, StoreSummary.Of(_store).Responses);
    }

    private static ChatResponse Answer(int tokens) => new(new ChatMessage(ChatRole.Assistant, "a")) { Usage = new() { InputTokenCount = 10, OutputTokenCount = tokens } };
}
