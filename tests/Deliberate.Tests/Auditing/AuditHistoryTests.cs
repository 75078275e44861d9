using System.Globalization;
using Deliberate.Auditing;
using Deliberate.Conversations;
using Deliberate.Tests.Runs;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Deliberate.Tests.Auditing;

public sealed class AuditHistoryTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(Start);

    private string Log => _folder["log"];

    private string[] Files => [.. Directory.GetFiles(Log, "audit-*.jsonl").Order(StringComparer.Ordinal)];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1)]
    public async Task Every_exchange_is_on_one_page_in_either_direction_whatever_is_read_at_a_time(long mostBytes)
    {
        await FillAsync(203);
        Assert.True(Files.Length > 5);
        foreach (var filter in (AuditFilter[])
            [new(), new() { Caller = "k1" }, new() { Model = "m2", Outcome = AuditOutcome.Failed }, new() { From = Start.AddMinutes(50), To = Start.AddMinutes(160) }, new() { Caller = "nobody" }])
        {
            var expected = Enumerable.Range(1, 203).Select(number => (long)number).Where(number => Takes(filter, (int)number)).ToArray();
            Assert.Equal(expected.Reverse(), Older(new AuditHistory(Log, mostBytes), filter));
            Assert.Equal(expected, Newer(new AuditHistory(Log, mostBytes), filter));
        }
    }

    [Fact]
    public async Task A_search_that_has_read_enough_stops_and_says_where_it_goes_on()
    {
        await FillAsync(203);
        var history = new AuditHistory(Log, 1);
        var page = history.Before(new() { Caller = "nobody" }, null, 10);
        Assert.Empty(page.Items);
        Assert.True(page.Stopped);
        Assert.InRange(page.Older!.Value, 2, 202);
        // What was read once is remembered: the same search comes further.
        Assert.True(history.Before(new() { Caller = "nobody" }, null, 10).Older < page.Older);
    }

    [Fact]
    public async Task The_newest_page_without_a_filter_reads_the_newest_segment_alone()
    {
        await FillAsync(203);
        // The others cannot be opened.
        var held = Files.SkipLast(1).Select(file => new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None)).ToArray();
        var page = new AuditHistory(Log).Before(new(), null, 1);
        foreach (var file in held) await file.DisposeAsync();
        Assert.Equal(203, Assert.Single(page.Items).Entry!.Number);
        Assert.Equal((1L, 203L, 203L, false), (page.First, page.Last, page.Older!.Value, page.Stopped));
        Assert.Null(page.Newer);
    }

    [Fact]
    public async Task What_comes_is_seen_while_the_log_is_open_and_what_goes_is_gone()
    {
        await using var log = AuditLog.Open(Log, new() { SegmentBytes = 2000, RedactAfter = TimeSpan.FromHours(2), KeepFor = TimeSpan.FromDays(3) }, _time);
        var history = new AuditHistory(Log);
        var none = history.Before(new(), null, 5);
        Assert.Equal((0L, 0L), (none.First, none.Last));
        Assert.Null(none.Older);
        for (var number = 1; number <= 40; number++) await log.AppendAsync(Exchange(number));
        Assert.Equal([40L, 39, 38], history.Before(new(), null, 3).Items.Select(item => item.Number));
        Assert.Equal("thought 40", history.Get(40)!.Entry!.Exchange.Thinking);

        // Redaction puts shorter files in place of those that the history knows, and adds a record of its own.
        _time.Advance(TimeSpan.FromHours(3));
        await log.CleanAsync();
        var all = history.Before(new(), null, 50);
        Assert.Equal(Enumerable.Range(1, 40).Reverse().Select(number => (long)number), all.Items.Select(item => item.Number));
        Assert.All(all.Items, item =>
        {
            Assert.Equal($"k{item.Number % 3}", item.Entry!.Exchange.Caller);
            Assert.Null(item.Entry.Exchange.Thinking);
        });
        Assert.Null(history.Get(41));

        await log.AppendAsync(Exchange(42));
        Assert.Equal([42L, 40], history.Before(new(), null, 2).Items.Select(item => item.Number));
        Assert.Equal(42, history.Find("e42")!.Number);

        _time.Advance(TimeSpan.FromDays(4));
        await log.CleanAsync();
        var left = history.Before(new(), null, 50);
        Assert.True(left.First > 1);
        Assert.All(left.Items, item => Assert.True(item.Number >= left.First && item.Problem is null));
        Assert.Null(history.Get(1));
    }

    [Fact]
    public async Task A_record_that_was_changed_stands_in_its_place_and_hides_no_other()
    {
        await FillAsync(30);
        var file = Files[^1];
        var lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        Assert.True(lines.Length > 3);
        var first = 31 - lines.Length;
        lines[0] = lines[0].Replace("\"thought ", "\"other ", StringComparison.Ordinal);
        lines[1] = "{\"head\":7}";
        await File.WriteAllTextAsync(file, string.Join('\n', lines) + "\n", TestContext.Current.CancellationToken);
        var items = new AuditHistory(Log).Before(new(), null, 30).Items;
        Assert.Equal(Enumerable.Range(1, 30).Reverse().Select(number => (long)number), items.Select(item => item.Number));
        Assert.Equal([first + 1L, first], items.Where(item => item.Problem is not null).Select(item => item.Number));
        Assert.All(items.Where(item => item.Problem is not null), item => Assert.Null(item.Entry));
        // It may be anybody's: a filter does not pass it over.
        Assert.Contains(new AuditHistory(Log).Before(new() { Caller = "nobody" }, null, 30).Items, item => item.Number == first + 1);

        // Two records that changed places are both out of place.
        (lines[^1], lines[^2]) = (lines[^2], lines[^1]);
        await File.WriteAllTextAsync(file, string.Join('\n', lines) + "\n", TestContext.Current.CancellationToken);
        Assert.Equal("it does not have the number of its place", new AuditHistory(Log).Get(30)!.Problem);
    }

    [Fact]
    public void A_folder_that_is_not_there_has_no_records()
    {
        var history = new AuditHistory(_folder["none"]);
        Assert.Empty(history.Before(new(), null, 10).Items);
        Assert.Empty(history.After(new(), 0, 10).Items);
        Assert.Null(history.Get(1));
        Assert.Null(history.Find("e1"));
    }

    [Fact]
    public async Task Callers_and_models_that_were_met_are_told()
    {
        await FillAsync(10);
        var history = new AuditHistory(Log);
        history.Before(new(), null, 10);
        Assert.Equal(["k0", "k1", "k2"], history.Callers);
        Assert.Equal(["m0", "m1", "m2", "m3"], history.Models);
    }

    // One a minute; callers, models and outcomes take turns.
    private AuditExchange Exchange(int number) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"e{number}"),
        Caller = $"k{number % 3}",
        Begun = Start.AddMinutes(number),
        Ended = Start.AddMinutes(number).AddSeconds(3),
        Model = $"m{number % 4}",
        Outcome = (AuditOutcome)(number % 4),
        Citations = [new("T6", true)],
        Conversation = [new(Role.User, $"question {number} \"with\" signs ü 🙂\n")],
        Thinking = $"thought {number}",
        Answer = $"answer {number}",
    };

    private bool Takes(AuditFilter filter, int number) => Exchange(number) is var exchange
        && (filter.Caller is null || exchange.Caller == filter.Caller) && (filter.Model is null || exchange.Model == filter.Model)
        && (filter.Outcome is null || exchange.Outcome == filter.Outcome)
        && (filter.From is null || exchange.Begun >= filter.From) && (filter.To is null || exchange.Begun < filter.To);

    private async Task FillAsync(int count)
    {
        await using var log = AuditLog.Open(Log, new() { SegmentBytes = 5000 }, _time);
        for (var number = 1; number <= count; number++) await log.AppendAsync(Exchange(number));
    }

    private static List<long> Older(AuditHistory history, AuditFilter filter)
    {
        var (seen, before) = (new List<long>(), (long?)null);
        do
        {
            var page = history.Before(filter, before, 7);
            Assert.True(page.Stopped || page.Older is null || page.Items.Count == 7);
            seen.AddRange(page.Items.Select(item => item.Number));
            before = page.Older;
        }
        while (before is not null);
        return seen;
    }

    private static List<long> Newer(AuditHistory history, AuditFilter filter)
    {
        var (seen, after) = (new List<long>(), (long?)0);
        do
        {
            var page = history.After(filter, after.Value, 7);
            // The last page is filled up with what was seen before.
            seen.AddRange(page.Items.Select(item => item.Number).Reverse().Where(number => number > after));
            after = page.Newer;
        }
        while (after is not null);
        return seen;
    }
}
