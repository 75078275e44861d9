using System.Text.Json;
using System.Text.RegularExpressions;
using Deliberate.Faults;
using Deliberate.Pipeline;
using Deliberate.Runs.Store;
using Xunit;

namespace Deliberate.EndToEnd.Tests;

/// <summary>Stages whose models are behind an endpoint, as real processes against a server on the loopback.</summary>
public class EndpointRunTests(Runs runs)
{
    private static readonly string[] Policy = ["--policy", Shipped.Policy];

    [Fact]
    public async Task The_miniature_behind_an_endpoint_gives_the_results_of_the_one_within()
    {
        var within = await runs.SmallAsync();
        using var model = ArmModels.OpenModel(Shipped.Model);
        await using var server = await FaultServer.StartAsync(Served.Miniature(model));
        var name = $"openai:miniature@{server.Address}";
        var result = await CliProcess.RunAsync("run", "--budget", "small", "--seed", "7", "--out", runs["served"], "--base", name, "--judge", name, "--responses", runs["served.db"]);
        Assert.True(result.Code == 0, result.Err);
        Assert.Equal(ReportJson.Facts(within), ReportJson.Facts(runs["served"]));
        Assert.Equal(Messages(within), Messages(runs["served"]));
        Assert.True(server.Answered.Values.Sum() > 500, "the endpoint was hardly asked");

        // A second run with the same seed has all it needs in the store.
        var before = server.Requests.Count;
        var again = await CliProcess.RunAsync("judge", "--budget", "small", "--seed", "7", "--out", runs["served-again"], "--base", name, "--judge", name, "--responses", runs["served.db"]);
        Assert.True(again.Code == 0, again.Err);
        Assert.Equal(before, server.Requests.Count);
    }

    [Fact]
    public async Task A_model_behind_an_endpoint_is_talked_to_with_the_policy_in_its_context()
    {
        await using var server = await FaultServer.StartAsync(new() { Dialect = ReasoningDialect.Tags, Answer = request => new("It is a greeting.", $"You said {request.Asked}.") });
        string[] args = ["chat", "--model", $"openai:m@{server.Address}", "--policy", Shipped.Policy];
        var (hidden, shown) = (await CliProcess.RunWithInputAsync("hello\n", args), await CliProcess.RunWithInputAsync("hello\n", [.. args, "--show-thinking"]));
        Assert.True(hidden.Code == 0, hidden.Err);
        Assert.Equal("You said hello.\n", hidden.Out);
        Assert.Equal("thinking: It is a greeting.\nYou said hello.\n", shown.Out);
        Assert.All(server.Requests, request => Assert.Contains("Assistant policy", (string?)request.Body["messages"]![0]!["content"], StringComparison.Ordinal));
    }

    [Fact]
    public async Task Faults_of_three_calls_in_ten_change_nothing_and_nothing_is_paid_for_twice()
    {
        var prompts = Served.Prompts(runs["faulty.jsonl"], 120);
        await using var sound = await FaultServer.StartAsync(Served.Scripted());
        await using var faulty = await FaultServer.StartAsync(Served.Scripted() with { Plan = FaultServerOptions.Random(0.3, 5) });
        var expected = await DistillAsync("sound", sound, prompts);
        var result = await DistillAsync("faulty", faulty, prompts);
        Assert.True(expected.Code == 0, expected.Err);
        Assert.True(result.Code == 0, result.Err);
        foreach (var file in (string[])["prompts.jsonl", "samples.jsonl", "judged.jsonl", "training.jsonl", "rejected.jsonl"])
            Assert.Equal(await File.ReadAllTextAsync(Path.Combine(runs["sound"], file), TestContext.Current.CancellationToken), await File.ReadAllTextAsync(Path.Combine(runs["faulty"], file), TestContext.Current.CancellationToken));
        Assert.NotEmpty(await File.ReadAllLinesAsync(Path.Combine(runs["faulty"], "training.jsonl"), TestContext.Current.CancellationToken));
        Assert.All(faulty.Answered.Values, count => Assert.Equal(1, count));
        Assert.Equal(sound.Answered.Count, faulty.Answered.Count);
        Assert.True(Enum.GetValues<Fault>().All(fault => faulty.Given.ContainsKey(fault)), "not every fault was given");
    }

    [Fact]
    public async Task Fifty_kills_lose_nothing_and_repeat_nothing()
    {
        var prompts = Served.Prompts(runs["killed.jsonl"], 400);
        await using var sound = await FaultServer.StartAsync(Served.Scripted());
        await using var server = await FaultServer.StartAsync(Served.Scripted() with { Latency = TimeSpan.FromMilliseconds(60) });
        Assert.Equal(0, (await DistillAsync("unkilled", sound, prompts)).Code);
        var random = new Random(1);
        var (kills, durable) = (0, 0L);
        while (kills < 50)
        {
            var asked = server.Requests.Count;
            using var process = CliProcess.Start(Distill("killed", server, prompts));
            // Under load: as soon as calls come, at a random moment.
            while (server.Requests.Count == asked && !process.HasExited) await Task.Delay(2, TestContext.Current.CancellationToken);
            if (process.HasExited) break;
            await Task.Delay(random.Next(250), TestContext.Current.CancellationToken);
            process.Kill();
            await process.EndAsync();
            kills++;
            var kept = Kept();
            Assert.True(kept >= durable, $"the store held {durable} responses and holds {kept}");
            durable = kept;
        }

        Assert.Equal(50, kills);
        var end = await DistillAsync("killed", server, prompts);
        Assert.True(end.Code == 0, end.Err);
        foreach (var file in (string[])["samples.jsonl", "judged.jsonl", "training.jsonl", "rejected.jsonl"])
            Assert.Equal(await File.ReadAllTextAsync(Path.Combine(runs["unkilled"], file), TestContext.Current.CancellationToken), await File.ReadAllTextAsync(Path.Combine(runs["killed"], file), TestContext.Current.CancellationToken));
        Assert.Equal(400 * 2 * 3, Kept());
        // What was in flight at a kill is asked again; no more than that.
        Assert.InRange(server.Answered.Values.Sum() - Kept(), 0, 50 * 16);

        long Kept()
        {
            using var store = ResponseStore.OpenReadOnly(runs["killed.db"]);
            return StoreSummary.Of(store).Responses;
        }
    }

    [Fact]
    public async Task Calls_that_fail_for_good_are_told_and_made_again_when_that_is_asked_for()
    {
        var prompts = Served.Prompts(runs["refused.jsonl"], 30);
        var broken = true;
        await using var server = await FaultServer.StartAsync(Served.Scripted() with { Plan = request => broken && request.Key[0] is '0' or '1' ? Fault.ServerError : Fault.None });
        var first = await CliProcess.RunAsync([.. Generate("refused", server, prompts)]);
        Assert.Equal(1, first.Code);
        Assert.Matches(@"failed calls, generate +\d+ server error", first.Out);
        Assert.Contains("--retry-failed", first.ErrorLines[^1], StringComparison.Ordinal);
        broken = false;
        var asked = server.Requests.Count;
        Assert.Equal(1, (await CliProcess.RunAsync([.. Generate("refused", server, prompts)])).Code);
        Assert.Equal(asked, server.Requests.Count);
        var retried = await CliProcess.RunAsync([.. Generate("refused", server, prompts), "--retry-failed"]);
        Assert.True(retried.Code == 0, retried.Err);
        Assert.Contains("60, 0 truncated", retried.Out, StringComparison.Ordinal);
        Assert.All(server.Answered.Values, count => Assert.Equal(1, count));
    }

    [Fact]
    public async Task A_dry_run_makes_no_call_and_a_budget_is_kept()
    {
        var prompts = Served.Prompts(runs["priced.jsonl"], 60);
        await using var server = await FaultServer.StartAsync(Served.Scripted());
        var models = runs["priced.yaml"];
        await File.WriteAllTextAsync(models, $"models:\n  base:\n    model: openai:m@{server.Address}\n    price: {{ input: 1, output: 2 }}\n    max_output_tokens: 100\n    budget: {{ money: 0.005 }}\n", TestContext.Current.CancellationToken);
        string[] command = ["generate", "--prompts", prompts, "--models", models, "--samples", "1", "--held-out", "0", "--out", runs["priced"], "--responses", runs["priced.db"], .. Policy];
        var dry = await CliProcess.RunAsync([.. command, "--dry-run"]);
        Assert.True(dry.Code == 0, dry.Err);
        Assert.Matches(@"generate +60 calls, about \d+ tokens in, at most 6000 out, at most 0\.\d+ USD; the budget may not hold them all", dry.Out);
        Assert.Empty(server.Requests);

        var capped = await CliProcess.RunAsync(command);
        Assert.Equal(2, capped.Code);
        Assert.Contains("budget", capped.ErrorLines[^1], StringComparison.Ordinal);
        var paid = server.Answered.Count;
        Assert.InRange(paid, 1, 59);
        // The cap holds for the run, not for each start of it.
        Assert.Equal(2, (await CliProcess.RunAsync(command)).Code);
        Assert.InRange(server.Answered.Count - paid, 0, 2);
    }

    [Fact]
    public async Task Held_out_prompts_are_measured_by_a_grader_that_is_not_the_judge()
    {
        var prompts = Served.Prompts(runs["graded.jsonl"], 60);
        await using var server = await FaultServer.StartAsync(Served.Scripted());
        string Model(string name) => $"openai:{name}@{server.Address}";
        string[] command = ["eval", "--prompts", prompts, "--held-out", "0.5", "--threshold", "0.6", "--out", runs["graded"], "--responses", runs["graded.db"], "--base", Model("m"), "--judge", Model("j"), .. Policy];
        var same = await CliProcess.RunAsync([.. command, "--grader", Model("j")]);
        Assert.Equal(2, same.Code);
        Assert.Contains("what trains must not measure", Assert.Single(same.ErrorLines), StringComparison.Ordinal);
        var result = await CliProcess.RunAsync([.. command, "--grader", Model("g")]);
        Assert.True(result.Code == 0, result.Err);
        var figures = ReportJson.Read(runs["graded"], "eval.json");
        foreach (var arm in (string[])["base", "base+policy"])
        {
            var followed = figures.GetProperty("arms").GetProperty(arm).GetProperty("followed");
            ReportJson.AssertMetric(followed, arm);
            Assert.InRange(followed.GetProperty("n").GetInt32(), 15, 45);
            Assert.InRange(followed.GetProperty("value").GetDouble(), 0.01, 0.99);
            Assert.Equal(0, figures.GetProperty("arms").GetProperty(arm).GetProperty("refused").GetProperty("value").GetDouble());
        }

        Assert.Matches(new Regex(@"base\+policy less base, followed +-?\d"), result.Out);
    }

    private string[] Generate(string name, FaultServer server, string prompts) =>
        ["generate", "--prompts", prompts, "--held-out", "0", "--samples", "2", "--out", runs[name], "--models", Yaml(name, server), "--responses", runs[name + ".db"], .. Policy];

    private string[] Distill(string name, FaultServer server, string prompts) => ["distill", "--judge-runs", "2", "--threshold", "0.6", .. Generate(name, server, prompts)[1..]];

    private Task<CliResult> DistillAsync(string name, FaultServer server, string prompts) => CliProcess.RunAsync(Distill(name, server, prompts));

    // Samples name the server's model, not its address: the results of two servers can be compared.
    private string Yaml(string name, FaultServer server)
    {
        var path = runs[name + ".yaml"];
        File.WriteAllText(path, $"models:\n  base:\n    model: openai:m@{server.Address}\n    timeout_seconds: 1\n    retries: 4\n    concurrency: 16\n");
        return path;
    }

    // What is trained on, without who wrote it.
    private static string[] Messages(string folder) =>
        [.. File.ReadLines(Path.Combine(folder, "training.jsonl")).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("messages").GetRawText())];
}
