using System.Globalization;
using System.Text.RegularExpressions;
using Deliberate.Evaluation;
using Deliberate.Reports;
using Deliberate.Server.Report;
using Xunit;

namespace Deliberate.Server.Tests;

public class ReportPageTests
{
    private static Task<string> Render(RunReport report) => ReportPage.RenderAsync(report, TestContext.Current.CancellationToken);

    [Fact]
    public async Task The_page_asks_nothing_of_any_other_place()
    {
        var page = await Render(SampleReport.Full());
        Assert.DoesNotContain("http:", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("https:", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("url(", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("@import", page, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(Html.Attribute(page, "src"));
        Assert.All(Html.Attribute(page, "href"), link => Assert.StartsWith("#", link, StringComparison.Ordinal));
        Assert.DoesNotContain("<link", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("default-src 'none'", Html.Attribute(page, "content")[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_security_policy_names_the_style_sheet_and_the_script_by_hash_and_nothing_is_inline_besides()
    {
        var page = await Render(SampleReport.Full());
        var policy = Html.Attribute(page, "content").First(value => value.Contains("script-src", StringComparison.Ordinal));
        foreach (var asset in Regex.Matches(page, "<(style|script)>(.*?)</\\1>", RegexOptions.Singleline).Select(match => match.Groups[2].Value))
        {
            var hash = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(asset)));
            Assert.Contains($"'sha256-{hash}'", policy, StringComparison.Ordinal);
        }

        Assert.Empty(Html.Attribute(page, "style"));
        Assert.Empty(Html.Attribute(page, "onclick"));
    }

    [Fact]
    public async Task Every_figure_of_every_arm_and_of_the_judge_is_on_the_page()
    {
        var report = SampleReport.Full();
        var page = await Render(report);
        var rows = Regex.Matches(page, "<tr[^>]*>(.*?)</tr>", RegexOptions.Singleline).Select(match => Html.Text(match.Groups[1].Value)).ToArray();
        foreach (var arm in report.Arms)
            foreach (var (name, metric) in arm.Metrics)
                Assert.Contains(rows, row => row.Contains(name, StringComparison.Ordinal) && row.Contains(ArmInfo.Of(arm.Name).Label, StringComparison.Ordinal) && Shows(row, metric));
        foreach (var (when, votes) in report.Judge)
            foreach (var (k, types) in votes)
                foreach (var (type, metric) in types)
                    Assert.Contains(rows, row => row.Contains(when, StringComparison.Ordinal) && row.Contains(k, StringComparison.Ordinal) && row.Contains(JudgeErrorType.Title(type), StringComparison.Ordinal) && Shows(row, metric));

        static bool Shows(string row, Metric metric) => metric.N == 0
            ? row.Contains("not measured", StringComparison.Ordinal)
            : new[] { metric.Value, metric.Low, metric.High }.All(value => row.Contains(value.ToString("0.000", CultureInfo.InvariantCulture), StringComparison.Ordinal))
                && row.TrimEnd().EndsWith(string.Create(CultureInfo.InvariantCulture, $" {Numbers.Count(metric.N)} {metric.Unscored}").Replace('\u202f', ' '), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_of_models_and_policies_stays_text()
    {
        const string evil = "\"><script>alert('x')</script><img src=x onerror=\"alert(1)\"> & </style></svg>";
        var report = SampleReport.Full() with
        {
            Name = evil,
            Policy = new(evil, evil),
            Base = new(evil, 1),
            Stages = [new(evil, evil, 1, 1, 1)],
            Arms = [new(evil, new Dictionary<string, Metric> { [evil] = SampleReport.Share(0.5, 10), ["goodness_at_0.1"] = SampleReport.Share(0.5, 10), ["over_refusal_benign"] = SampleReport.Share(0.5, 10) })],
            Judge = new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Metric>>>
            {
                [evil] = new Dictionary<string, IReadOnlyDictionary<string, Metric>> { [evil] = new Dictionary<string, Metric> { [evil] = SampleReport.Share(0.5, 10) } },
            },
            Alarms = [new(1, evil, evil)],
            Curves = [new(evil, evil, [[1, 2], [2, 3]])],
            Transcripts = [new(evil, evil, evil, evil, [new(evil, evil + " [T3] " + evil, evil, false)])],
            Clauses = [new(evil, evil, evil, evil), new("T3", evil, evil, evil)],
            Provenance = new Dictionary<string, string> { [evil] = evil },
            Notes = [evil],
        };
        var page = await Render(report);
        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
        Assert.Single(Regex.Matches(page, "<script"));
        Assert.Null(Html.Unbalanced(page));
        Assert.NotEmpty(Html.Drawings(page));
        Assert.Contains(evil, Html.Text(page), StringComparison.Ordinal);
        AssertLinksResolve(page);
    }

    [Fact]
    public async Task Cited_clauses_lead_to_their_text_and_unknown_ones_are_marked()
    {
        var page = await Render(SampleReport.Full());
        AssertLinksResolve(page);
        Assert.Contains("href=\"#clause-T3\"", page, StringComparison.Ordinal);
        Assert.Contains("id=\"clause-T3\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("clause-T9", page, StringComparison.Ordinal);
        Assert.Contains("T9 (no such clause)", Html.Text(page), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_clauses_with_one_code_do_not_make_two_equal_ids()
    {
        var report = SampleReport.Full() with { Clauses = [new("T3", "theft", "comply", "one"), new("T3", "drugs", "refuse", "two"), new("odd code", "drugs", "refuse", "three")] };
        var page = await Render(report);
        AssertLinksResolve(page);
        Assert.All(new[] { "one", "two", "three" }, text => Assert.Contains(text, Html.Text(page), StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_page_is_well_formed_and_every_chart_has_a_text_alternative()
    {
        var page = await Render(SampleReport.Full());
        Assert.Null(Html.Unbalanced(page));
        var drawings = Html.Drawings(page);
        Assert.True(drawings.Count > 20);
        Assert.All(drawings, drawing =>
        {
            if ((string?)drawing.Attribute("aria-hidden") == "true") return;
            Assert.Equal("img", (string?)drawing.Attribute("role"));
            Assert.False(string.IsNullOrWhiteSpace((string?)drawing.Attribute("aria-label")));
        });
        Assert.All(drawings.SelectMany(drawing => drawing.DescendantsAndSelf()).SelectMany(element => element.Attributes()), attribute =>
            Assert.DoesNotMatch("NaN|Infinity|∞", attribute.Value));
        Assert.Single(Regex.Matches(page, "<h1"));
    }

    [Fact]
    public async Task A_report_of_nothing_says_that_nothing_was_measured()
    {
        var report = new RunReport
        {
            Name = "empty",
            Seed = 0,
            Policy = new("", ""),
            Base = new("", 0),
            Machine = new(0, double.NaN, 0),
            Stages = [],
            Arms = [],
            Alarms = [],
            Judge = new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Metric>>>(),
        };
        var page = await Render(report);
        var text = Html.Text(page);
        Assert.Null(Html.Unbalanced(page));
        Assert.Contains("shows nothing about training", text, StringComparison.Ordinal);
        Assert.Contains("No training curves were recorded", text, StringComparison.Ordinal);
        Assert.Contains("No transcripts were kept", text, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_arms_metrics_and_points_are_shown_as_not_measured()
    {
        var full = SampleReport.Full();
        var report = full with
        {
            Arms = [new("sft", new Dictionary<string, Metric> { ["harmful_complied"] = new(0.01, double.NaN, double.NaN, 10), ["correct"] = Metric.None(4) }), new("my own arm", new Dictionary<string, Metric>())],
            Judge = new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Metric>>> { ["end"] = full.Judge["end"] },
            Curves = [new("sft", "loss", []), new("sft", "kl", [[1, double.NaN]]), new("sft", "reward", [[1, 0.5]]), new("sft", "length", [[3], [1, 2], [2, 2]])],
            Stages = [new("sft", "sft", double.NaN, 0, double.PositiveInfinity)],
        };
        var page = await Render(report);
        var text = Html.Text(page);
        Assert.Null(Html.Unbalanced(page));
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", page, StringComparison.Ordinal);
        Assert.Contains("my own arm", text, StringComparison.Ordinal);
        Assert.Contains("Not part of this run", text, StringComparison.Ordinal);
        Assert.Contains("no points", text, StringComparison.Ordinal);
        Assert.Contains("not measured", text, StringComparison.Ordinal);
        Assert.Contains("the base model was not measured", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_report_gives_the_same_page() => Assert.Equal(await Render(SampleReport.Full()), await Render(SampleReport.Full()));

    [Fact]
    public async Task The_written_file_is_the_rendered_page_and_no_temporary_file_is_left()
    {
        // The page stays beside the tests, to be looked at.
        var folder = Path.Combine(AppContext.BaseDirectory, "preview");
        var path = Path.Combine(folder, "report.html");
        await ReportPage.WriteAsync(SampleReport.Full(), path, TestContext.Current.CancellationToken);
        Assert.Equal(await Render(SampleReport.Full()), await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal(["report.html"], Directory.GetFiles(folder).Select(Path.GetFileName));
    }

    private static void AssertLinksResolve(string page)
    {
        var ids = Html.Attribute(page, "id");
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(Html.Attribute(page, "href"), link => Assert.Contains(link[1..], ids));
        Assert.All(Html.Attribute(page, "aria-labelledby"), id => Assert.Contains(id, ids));
    }
}
