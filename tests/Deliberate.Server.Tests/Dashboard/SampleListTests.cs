using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Deliberate.Server.Dashboard;
using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Dashboard.Samples;
using Deliberate.Server.Report;
using Xunit;

namespace Deliberate.Server.Tests.Dashboard;

public sealed partial class SampleListTests : IDisposable
{
    private static readonly Caller Admin = new("ada", new HashSet<string> { "admin" });
    private readonly MadeRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pages_hold_every_sample_once_in_its_order(bool world)
    {
        var run = Made(world, 40);
        var reader = new SampleReader(run, new([]), Admin);
        var first = reader.Page(new(), 1);
        var ids = Enumerable.Range(1, first.Pages).SelectMany(page => reader.Page(new(), page).Samples).Select(sample => sample.Id).ToArray();
        Assert.Equal(MadeRuns.Samples(40, 2).Select(sample => sample.Id), ids);
        Assert.Equal((80, 80, 4), (first.Total, first.Matching, first.Pages));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Filters_take_what_they_say_and_their_parts_make_up_the_whole(bool world)
    {
        var run = Made(world, 30);
        var reader = new SampleReader(run, new([]), Admin);
        var all = Everything(reader, new());
        foreach (var facet in reader.Page(new(), 1).Categories) Assert.All(Everything(reader, new() { Category = facet.Value }), sample => Assert.Equal(facet.Value, sample.Category ?? "none"));
        foreach (var facet in reader.Page(new(), 1).Fates) Assert.Equal(facet.Count, Everything(reader, new() { Fate = SampleFates.Find(facet.Value) }).Count(sample => sample.Fate.Key() == facet.Value));
        Assert.Equal(all.Count, reader.Page(new(), 1).Fates.Sum(facet => facet.Count));
        Assert.Equal(all.Count, reader.Page(new(), 1).Actions.Sum(facet => facet.Count));
        Assert.Equal(all.Where(sample => sample.Score is >= 0.2 and <= 0.3).Select(sample => sample.Id), Everything(reader, new() { MinScore = 0.2, MaxScore = 0.3 }).Select(sample => sample.Id));
        Assert.NotEmpty(Everything(reader, new() { MinScore = 0.2, MaxScore = 0.3 }));
        Assert.All(Everything(reader, new() { Find = "SHOPLIFTING" }), sample => Assert.Contains("shoplifting", sample.Conversation.Request, StringComparison.Ordinal));
        Assert.Empty(Everything(reader, new() { Find = "no such words" }));
    }

    [Fact]
    public void A_sample_comes_with_its_verdicts_its_fate_and_its_example()
    {
        var reader = new SampleReader(Made(true, 12), new([]), new("audrey", new HashSet<string> { "admin", "audit" }));
        var all = Everything(reader, new());
        var kept = all.First(sample => sample.Fate == SampleFate.Kept);
        Assert.Equal((1.0, 2), (kept.Score, kept.Verdicts.Count));
        Assert.Equal(kept.Conversation, kept.Example);
        Assert.Contains(MadeRuns.Marker, kept.Thought.Text!, StringComparison.Ordinal);
        var low = all.First(sample => sample.Fate == SampleFate.LowScore);
        Assert.Equal(0.25, low.Score);
        Assert.Contains("names the wrong clause", low.Reason!, StringComparison.Ordinal);
        Assert.Null(low.Example);
        Assert.All(all.Where(sample => sample.Fate == SampleFate.Unscored), sample => Assert.Null(sample.Score));
        Assert.All(all.Where(sample => sample.Fate == SampleFate.Format), sample => Assert.Empty(sample.Verdicts));
    }

    [Fact]
    public void Who_may_not_read_thoughts_gets_none_of_their_words()
    {
        var all = Everything(new SampleReader(Made(true, 12), new([]), Admin), new());
        Assert.All(all, sample =>
        {
            Assert.Null(sample.Thought.Text);
            Assert.True(sample.Thought.Words > 5);
            Assert.All(sample.Verdicts, verdict => Assert.Null(verdict.Reason));
            Assert.DoesNotContain(MadeRuns.Marker, sample.Reason ?? "", StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_distilled_run_that_is_distilled_anew_shows_the_new_outcome()
    {
        var run = Made(true, 12);
        var reader = new SampleReader(run, new([]), Admin);
        var kept = Everything(reader, new() { Fate = SampleFate.Kept }).Count;
        Assert.True(kept > 1);
        var lines = File.ReadAllLines(run.PathOf("training.jsonl"));
        Deliberate.Runs.AtomicFile.WriteText(run.PathOf("training.jsonl"), string.Join('\n', lines.Skip(1)) + "\n");
        Assert.Equal(kept - 1, Everything(reader, new() { Fate = SampleFate.Kept }).Count);
    }

    // DELIBERATE_DASHBOARD_SAMPLES=100000 makes the large store; the time that it takes is written to the test's output.
    [Fact]
    public async Task A_large_run_is_paged_on_the_server()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("DELIBERATE_DASHBOARD_SAMPLES") ?? "5000", CultureInfo.InvariantCulture);
        _runs.World("large", prompts: count / 4, samples: 4);
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        var pages = (count + SampleReader.PageSize - 1) / SampleReader.PageSize;
        foreach (var path in (string[])["", $"?page={pages / 2}", $"?page={pages}", "?category=theft&fate=kept", "?find=number+17", "?min=0.2&max=0.3&page=7", ""])
        {
            var clock = Stopwatch.StartNew();
            var page = await visitor.PageAsync("/dashboard/runs/large/samples" + path);
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} samples, samples{path}: {clock.Elapsed.TotalMilliseconds:0.0} ms, {page.Length} characters"));
            Assert.True(page.Length < 300_000, $"a page of {page.Length} characters");
            Assert.InRange(Cards().Count(page), 1, SampleReader.PageSize);
        }

        Assert.Contains(Html.Text($"{Numbers.Count(count)} of {Numbers.Count(count)} samples"), Html.Text(await visitor.PageAsync("/dashboard/runs/large/samples")), StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"managed memory {GC.GetTotalMemory(forceFullCollection: true) / 1e6:0} MB"));
    }

    private RunPlace Made(bool world, int prompts)
    {
        if (world) _runs.World("made", prompts);
        else _runs.Files("made", prompts);
        return new(_runs.PathOf("made"));
    }

    private static List<SampleView> Everything(SampleReader reader, SampleFilter filter) =>
        [.. Enumerable.Range(1, reader.Page(filter, 1).Pages).SelectMany(page => reader.Page(filter, page).Samples)];

    [GeneratedRegex("<article class=\"sample\"")]
    private static partial Regex Cards();
}
