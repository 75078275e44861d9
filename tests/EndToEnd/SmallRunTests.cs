using System.Text.RegularExpressions;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.EndToEnd.Tests;

public class SmallRunTests(Runs runs)
{
    private static readonly string[] Options = ["--budget", "small", "--seed", "7"];

    [Fact]
    public async Task The_report_holds_every_documented_name()
    {
        var folder = await runs.SmallAsync();
        var report = ReportJson.Read(folder);
        var policy = Policy.Load(Shipped.Policy);
        Assert.Equal((1, "small", 7), (report.GetProperty("schema").GetInt32(), report.GetProperty("name").GetString(), report.GetProperty("seed").GetInt32()));
        Assert.Equal(policy.Hash, report.GetProperty("policy").GetProperty("hash").GetString());
        Assert.NotEmpty(report.GetProperty("policy").GetProperty("path").GetString()!);
        Assert.NotEmpty(report.GetProperty("base").GetProperty("fingerprint").GetString()!);
        Assert.InRange(report.GetProperty("base").GetProperty("parameters").GetInt64(), 1_000_000, 20_000_000);

        var machine = report.GetProperty("machine");
        Assert.True(machine.GetProperty("cores").GetInt32() > 0 && machine.GetProperty("wall_seconds").GetDouble() > 0 && machine.GetProperty("peak_memory_bytes").GetInt64() > 0);
        var stages = report.GetProperty("stages").EnumerateArray().ToArray();
        Assert.All(["generate", "judge", "distill", "sft", "rl", "eval"], name => Assert.Contains(stages, stage => stage.GetProperty("name").GetString() == name));
        Assert.All(stages, stage => Assert.True(
            stage.TryGetProperty("arm", out _) && stage.GetProperty("seconds").GetDouble() >= 0 && stage.GetProperty("items").GetInt32() >= 0 && stage.TryGetProperty("items_per_second", out _)));

        Assert.Equal(ReportJson.Arms, report.GetProperty("arms").EnumerateArray().Select(arm => arm.GetProperty("name").GetString()!));
        foreach (var arm in report.GetProperty("arms").EnumerateArray())
            Assert.All(ReportJson.Metrics, name => ReportJson.AssertMetric(arm.GetProperty("metrics").GetProperty(name), $"{arm.GetProperty("name")} {name}"));
        foreach (var (when, runsOfJudge) in new[] { ("start", "k1"), ("start", "min4"), ("end", "k1"), ("end", "min4") })
        {
            var types = report.GetProperty("judge").GetProperty(when).GetProperty(runsOfJudge).EnumerateObject().ToArray();
            Assert.NotEmpty(types);
            Assert.All(types, type => ReportJson.AssertMetric(type.Value, type.Name));
        }

        Assert.All(report.GetProperty("alarms").EnumerateArray(), alarm => Assert.True(alarm.TryGetProperty("step", out _) && alarm.TryGetProperty("kind", out _) && alarm.TryGetProperty("detail", out _)));
        var page = await File.ReadAllTextAsync(Path.Combine(folder, "report.html"), TestContext.Current.CancellationToken);
        Assert.Contains("</html>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_numbers()
    {
        var first = await runs.SmallAsync();
        var result = await CliProcess.RunAsync(["run", "--out", runs["again"], .. Options]);
        Assert.Equal(0, result.Code);
        Assert.Equal(ReportJson.Facts(first), ReportJson.Facts(runs["again"]));
    }

    [Fact]
    public async Task A_run_that_is_stopped_and_then_killed_goes_on_and_ends_with_the_same_numbers()
    {
        var whole = await runs.SmallAsync();
        string[] command = ["run", "--out", runs["cut"], .. Options];
        using (var stopped = CliProcess.Start(command))
        {
            Assert.True(await stopped.SeesAsync(line => line.StartsWith("judge", StringComparison.Ordinal)), "it ended before it could be stopped");
            stopped.Terminate();
            var result = await stopped.EndAsync();
            Assert.Equal(130, result.Code);
            Assert.Contains($"To go on: deliberate {string.Join(' ', command)}", result.ErrorLines[^1], StringComparison.Ordinal);
        }

        Assert.False(File.Exists(Path.Combine(runs["cut"], "report.json")));
        using (var killed = CliProcess.Start(command))
        {
            Assert.True(await killed.SeesAsync(line => line.StartsWith("rl", StringComparison.Ordinal)), "it ended before it could be killed");
            killed.Kill();
            await killed.EndAsync();
        }

        Assert.False(File.Exists(Path.Combine(runs["cut"], "report.json")));
        var end = await CliProcess.RunAsync(command);
        Assert.True(end.Code == 0, end.Err);
        Assert.Equal(ReportJson.Facts(whole), ReportJson.Facts(runs["cut"]));
    }

    [Fact]
    public async Task A_folder_belongs_to_one_run()
    {
        var folder = await runs.SmallAsync();
        var result = await CliProcess.RunAsync("run", "--out", folder, "--budget", "small", "--seed", "8");
        Assert.Equal(2, result.Code);
        Assert.Contains("seed", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_finished_run_is_reported_again_from_what_it_kept()
    {
        var folder = await runs.SmallAsync();
        var facts = ReportJson.Facts(folder);
        File.Delete(Path.Combine(folder, "report.html"));
        var result = await CliProcess.RunAsync(["report", "--out", folder, .. Options]);
        Assert.True(result.Code == 0, result.Err);
        Assert.True(File.Exists(Path.Combine(folder, "report.html")));
        Assert.Equal(facts, ReportJson.Facts(folder));
    }

    [Fact]
    public async Task A_what_if_reports_the_affected_and_the_unaffected_requests()
    {
        var folder = await runs.SmallAsync();
        var clause = Policy.Load(Shipped.Policy).Clauses.First(clause => clause.Action == PolicyAction.Comply && clause.Exception is null);
        var result = await CliProcess.RunAsync(["whatif", "--clause", clause.Code, "--action", "refuse", "--out", folder, .. Options]);
        Assert.True(result.Code == 0, result.Err);
        var report = ReportJson.Read(folder, "whatif.json");
        Assert.Equal((clause.Code, "refuse"), (report.GetProperty("clause").GetString(), report.GetProperty("action").GetString()));
        foreach (var side in new[] { "affected", "unaffected" })
        {
            ReportJson.AssertMetric(report.GetProperty(side), side);
            Assert.True(report.GetProperty(side).GetProperty("n").GetInt32() > 0, side);
            Assert.Matches($@"(?m)^{side} requests .* \d\.\d", result.Out);
        }
    }

    [Fact]
    public async Task Output_that_is_redirected_has_no_control_codes()
    {
        var folder = await runs.SmallAsync();
        var result = await CliProcess.RunAsync(["run", "--out", folder, .. Options]);
        Assert.Equal(0, result.Code);
        Assert.DoesNotContain('\e', result.Out + result.Err);
        // The run is finished already, so that its stages are taken from its folder; what is always made anew is the report.
        Assert.Matches(new Regex(@"(?m)^report\s+\d+ "), result.Err);
        Assert.All(ReportJson.Arms, arm => Assert.Contains(arm, result.Out.Split('\n')[0], StringComparison.Ordinal));
    }
}
