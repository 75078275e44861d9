using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Deliberate.Auditing;
using Xunit;

namespace Deliberate.Server.Tests.Dashboard;

public sealed partial class AuditPageTests : IDisposable
{
    private readonly MadeRuns _runs = new MadeRuns().World("made-1", prompts: 4);

    private string Log => Path.Combine(_runs.Root, "audit");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _runs.Dispose();

    private async Task<Visitor> VisitAsync(int exchanges, string key = Visitor.AuditorKey, bool withPolicy = true)
    {
        await MadeLog.WriteAsync(Log, exchanges, _runs.Policy.Hash);
        var visitor = await Visitor.ToAsync(_runs, options => (options.AuditFolder, options.PolicyFolders) = (Log, withPolicy ? [_runs.PolicyFolder] : []));
        return await visitor.LogInAsync(key);
    }

    [Fact]
    public async Task The_right_to_audit_alone_opens_the_log_and_no_other_right_does()
    {
        await using (var auditor = await VisitAsync(3))
        {
            using var login = await auditor.PostAsync("/dashboard/login", "/dashboard/login", ("key", Visitor.AuditorKey), ("return", "/dashboard"));
            Assert.Equal("/dashboard/audit", login.Headers.Location!.OriginalString);
            Assert.Contains("records 1 to 3", Html.Text(await auditor.PageAsync("/dashboard/audit")), StringComparison.Ordinal);
            foreach (var path in (string[])["/dashboard", "/dashboard/runs/made-1/samples", "/dashboard/chat"])
            {
                using var other = await auditor.SendAsync(path);
                Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
            }
        }

        foreach (var key in (string[])[Visitor.AdminKey, Visitor.ChatKey])
        {
            await using var visitor = await Visitor.ToAsync(_runs, options => options.AuditFolder = Log);
            await visitor.LogInAsync(key);
            Assert.DoesNotContain("/dashboard/audit", Html.Attribute(await visitor.PageAsync("/dashboard/chat"), "href"));
            foreach (var path in (string[])["/dashboard/audit", "/dashboard/audit/1", $"/dashboard/audit/policy?hash={_runs.Policy.Hash}", "/dashboard/audit?id=chatcmpl-000000000000000000000001"])
            {
                using var response = await visitor.SendAsync(path);
                Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
                Assert.DoesNotContain(MadeRuns.Marker, await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
            }

            using var check = await visitor.PostAsync("/dashboard/chat", "/dashboard/audit/check");
            Assert.Equal(HttpStatusCode.Forbidden, check.StatusCode);
        }
    }

    [Fact]
    public async Task Without_a_log_there_is_neither_link_nor_page()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AuditKey);
        Assert.DoesNotContain("/dashboard/audit", Html.Attribute(await visitor.PageAsync("/dashboard"), "href"));
        using var response = await visitor.SendAsync("/dashboard/audit");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task The_list_tells_what_each_exchange_was_and_nothing_that_was_said()
    {
        await using var visitor = await VisitAsync(24, Visitor.AuditKey);
        Assert.Contains("/dashboard/audit", Html.Attribute(await visitor.PageAsync("/dashboard"), "href"));
        var page = await visitor.PageAsync("/dashboard/audit");
        var text = Html.Text(page);
        Assert.Contains("20 2026-03-01 08:20:00 4e5f6a7b base answered none T1 T9 (no such clause) 60 1 020 – hidden", text, StringComparison.Ordinal);
        Assert.Contains("3 2026-03-01 08:03:00 0a1b2c3d sft+rl truncated theft T3 43 1 003 12 hidden", text, StringComparison.Ordinal);
        Assert.Contains("24 2026-03-01 08:24:00 0a1b2c3d base failed none T3 64 1 024 – shown", text, StringComparison.Ordinal);
        foreach (var said in (string[])[MadeRuns.Marker, "pick a", "answered to", "asked before", "the model said"]) Assert.DoesNotContain(said, page, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, 24).Reverse().Select(number => $"/dashboard/audit/{number}"), Records(page));
    }

    [Fact]
    public async Task An_exchange_shows_its_facts_and_what_was_said_folded()
    {
        await using var visitor = await VisitAsync(24);
        var page = await visitor.PageAsync("/dashboard/audit/15");
        Assert.Null(Html.Unbalanced(page));
        var (bare, text) = (Html.Text(PageTests.WithoutFolds(page)), Html.Text(page));
        foreach (var said in (string[])[MadeRuns.Marker, "pick a", "answered to 15", "asked before"])
        {
            Assert.Contains(said, text, StringComparison.Ordinal);
            Assert.DoesNotContain(said, bare, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("<b>lock", page, StringComparison.Ordinal);
        foreach (var fact in (string[])
            [
                "0a1b2c3d", "sft+rl", "answered", "theft", "55, 1 015, 12", "hidden from the caller", "chatcmpl-000000000000000000000015", "fingerprint-of-the-model", _runs.Policy.Hash,
                "3 turns, 14 words",
            ])
            Assert.Contains(fact, bare, StringComparison.Ordinal);
        Assert.Contains(new AuditHistory(Log).Get(15)!.Entry!.Hash, bare, StringComparison.Ordinal);

        var failed = Html.Text(await visitor.PageAsync("/dashboard/audit/16"));
        Assert.Contains("Show Hide error", failed, StringComparison.Ordinal);
        Assert.Contains("the model said: broken 16", failed, StringComparison.Ordinal);
        Assert.Contains("There is no answer.", failed, StringComparison.Ordinal);
        foreach (var path in (string[])["/dashboard/audit/0", "/dashboard/audit/25", "/dashboard/audit/-1", "/dashboard/audit/99999999999999999999"])
        {
            using var response = await visitor.SendAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cited_clauses_lead_to_the_policy_where_it_is_known(bool known)
    {
        await using var visitor = await VisitAsync(5, withPolicy: known);
        if (!known) Directory.Delete(_runs.PathOf("made-1"), recursive: true);
        var page = await visitor.PageAsync("/dashboard/audit/5");
        Assert.Contains("T9 (no such clause)", Html.Text(page), StringComparison.Ordinal);
        Assert.DoesNotContain("T1 (no such clause)", Html.Text(page), StringComparison.Ordinal);
        var links = Html.Attribute(page, "href").Where(link => link.Contains("#clause-", StringComparison.Ordinal)).ToArray();
        Assert.Equal(known, links.Length > 0);
        if (!known) return;
        Assert.Contains(links, link => link.EndsWith("#clause-T1", StringComparison.Ordinal));
        var policy = await visitor.PageAsync(links[0].Split('#')[0]);
        Assert.Contains("clause-T1", Html.Attribute(policy, "id"));
        Assert.Contains("robbers belong to literature", Html.Text(policy), StringComparison.Ordinal);
        using var other = await visitor.SendAsync("/dashboard/audit/policy?hash=0000");
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task Filters_narrow_the_list_and_pages_lead_through_all_of_it()
    {
        await using var visitor = await VisitAsync(120);
        foreach (var (query, takes) in ((string, Func<AuditExchange, bool>)[])
        [
            ("", _ => true), ("?caller=0a1b2c3d", exchange => exchange.Caller == "0a1b2c3d"), ("?model=sft%2Brl&outcome=truncated", exchange => exchange.Outcome == AuditOutcome.Truncated),
            ("?from=2026-03-01T08:30&to=2026-03-01T09:15", exchange => exchange.Begun >= MadeLog.Start.AddMinutes(30) && exchange.Begun < MadeLog.Start.AddMinutes(75)),
            ("?caller=nobody", _ => false), ("?outcome=nonsense&from=yesterday&before=x", _ => true),
        ])
        {
            var expected = Enumerable.Range(1, 120).Reverse().Where(number => takes(MadeLog.Exchange(number, null))).Select(number => $"/dashboard/audit/{number}").ToArray();
            var (seen, path) = (new List<string>(), "/dashboard/audit" + query);
            while (path is not null)
            {
                var page = await visitor.PageAsync(path);
                Assert.Null(Html.Unbalanced(page));
                Assert.InRange(Records(page).Count, 0, 25);
                seen.AddRange(Records(page));
                path = Next().Match(page) is { Success: true } next ? WebUtility.HtmlDecode(next.Groups[1].Value) : null;
            }

            Assert.Equal(expected, seen);
        }

        Assert.Equal(Enumerable.Range(1, 25).Reverse().Select(number => $"/dashboard/audit/{number}"), Records(await visitor.PageAsync("/dashboard/audit?after=0")));
        Assert.Contains("no exchange is like that", Html.Text(await visitor.PageAsync("/dashboard/audit?caller=nobody")), StringComparison.Ordinal);
        using var found = await visitor.SendAsync("/dashboard/audit?id=chatcmpl-000000000000000000000077");
        Assert.Equal("/dashboard/audit/77", found.Headers.Location!.OriginalString);
        using var missed = await visitor.SendAsync("/dashboard/audit?id=chatcmpl-none");
        Assert.Equal(HttpStatusCode.NotFound, missed.StatusCode);
    }

    [Fact]
    public async Task The_chain_is_checked_on_demand_and_a_change_is_told_with_file_and_line()
    {
        await using var visitor = await VisitAsync(12);
        Assert.Contains("has not been checked", Html.Text(await visitor.PageAsync("/dashboard/audit")), StringComparison.Ordinal);
        async Task<string> CheckAsync(string expected = "")
        {
            using var response = await visitor.PostAsync("/dashboard/audit", "/dashboard/audit/check", ("expected", expected));
            Assert.Equal("/dashboard/audit", response.Headers.Location!.OriginalString);
            return Html.Text(await visitor.PageAsync("/dashboard/audit"));
        }

        var last = new AuditHistory(Log).Get(12)!.Entry!.Hash;
        foreach (var expected in (string[])["", last])
        {
            var holds = await CheckAsync(expected);
            Assert.Contains("The chain holds", holds, StringComparison.Ordinal);
            Assert.Contains("12 records, 1 to 12", holds, StringComparison.Ordinal);
            Assert.Contains($"Last hash: {last}", holds, StringComparison.Ordinal);
        }

        Assert.Contains("no record has the hash", await CheckAsync(new('0', 64)), StringComparison.Ordinal);
        var file = Directory.GetFiles(Log, "*.jsonl").Single();
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file, Token)).Replace("answered to 7.", "answered to 8.", StringComparison.Ordinal), Token);
        var broken = await CheckAsync();
        Assert.Contains("The chain does not hold", broken, StringComparison.Ordinal);
        Assert.Contains($"{file}:7: ", broken, StringComparison.Ordinal);
        Assert.Contains("cannot be read", Html.Text(await visitor.PageAsync("/dashboard/audit/7")), StringComparison.Ordinal);
        Assert.DoesNotContain("answered to 8", await visitor.PageAsync("/dashboard/audit/7"), StringComparison.Ordinal);
        using var foreign = await visitor.PostAsync("/dashboard/audit/check", ("expected", ""));
        Assert.Equal(HttpStatusCode.BadRequest, foreign.StatusCode);
    }

    [Fact]
    public async Task A_log_that_a_server_writes_is_followed_and_never_held()
    {
        await using var visitor = await VisitAsync(2);
        Assert.Equal(2, Records(await visitor.PageAsync("/dashboard/audit")).Count);
        await using (var log = AuditLog.Open(Log))
        {
            await log.AppendAsync(MadeLog.Exchange(3, null));
            Assert.Equal(3, Records(await visitor.PageAsync("/dashboard/audit")).Count);
            await log.AppendAsync(MadeLog.Exchange(4, null));
            Assert.Contains("Exchange 4", await visitor.PageAsync("/dashboard/audit/4"), StringComparison.Ordinal);
        }

        await using var again = AuditLog.Open(Log);
        Assert.Equal(4, again.Last);
    }

    [Fact]
    public async Task What_was_taken_out_is_told_as_such()
    {
        await MadeLog.WriteAsync(Log, 2, null, new() { Withheld = AuditParts.Thinking | AuditParts.Conversation });
        await using var visitor = await Visitor.ToAsync(_runs, options => options.AuditFolder = Log);
        await visitor.LogInAsync(Visitor.AuditorKey);
        var page = Html.Text(await visitor.PageAsync("/dashboard/audit/2"));
        Assert.Contains("The conversation is not in the record: it was taken out, or never kept.", page, StringComparison.Ordinal);
        Assert.Contains("The thought is not in the record", page, StringComparison.Ordinal);
        Assert.Contains("answered to 2", page, StringComparison.Ordinal);
    }

    // DELIBERATE_AUDIT_RECORDS=1000000 makes the large log; the time that it takes is written to the test's output.
    [Fact]
    public async Task A_large_log_is_paged_on_the_server()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("DELIBERATE_AUDIT_RECORDS") ?? "5000", CultureInfo.InvariantCulture);
        await using var visitor = await VisitAsync(count);
        foreach (var query in (string[])["", "?before=" + (count / 2), "?after=0", "?caller=nobody", "?caller=nobody", "?outcome=failed&before=" + (count / 3), "", "/1", "?id=chatcmpl-none"])
        {
            var clock = Stopwatch.StartNew();
            using var response = await visitor.SendAsync("/dashboard/audit" + query);
            var page = await response.Content.ReadAsStringAsync(Token);
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} records, audit{query}: {clock.Elapsed.TotalMilliseconds:0.0} ms, {page.Length} characters"));
            Assert.True(page.Length < 100_000, $"a page of {page.Length} characters");
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"managed memory {GC.GetTotalMemory(forceFullCollection: true) / 1e6:0} MB"));
    }

    private static List<string> Records(string page) => [.. Record().Matches(page).Select(match => match.Groups[1].Value)];

    [GeneratedRegex("<th scope=\"row\"><a href=\"([^\"]+)\"")]
    private static partial Regex Record();

    [GeneratedRegex("<a rel=\"next\" href=\"([^\"]+)\"")]
    private static partial Regex Next();
}
