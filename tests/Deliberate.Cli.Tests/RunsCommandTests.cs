using Deliberate.Policies;
using Deliberate.Runs.Store;
using Microsoft.Extensions.AI;
using Xunit;

namespace Deliberate.Cli.Tests;

public sealed class RunsCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("deliberate-test-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Store => Path.Combine(_folder, "store.db");

    private string PolicyFolder => Path.Combine(_folder, "policy");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<(int Code, Streams Streams)> RunAsync(params string[] args)
    {
        var streams = new Streams();
        return (await new Application(streams.Terminal()).RunAsync(["runs", .. args, "--store", Store], Token), streams);
    }

    private async Task<string> ResultsAsync(params string[] args)
    {
        var (code, streams) = await RunAsync(args);
        Assert.True(code == ExitCodes.Success, streams.Notes);
        return streams.Results;
    }

    private Policy WritePolicy(string action)
    {
        Directory.CreateDirectory(PolicyFolder);
        File.WriteAllText(Path.Combine(PolicyFolder, "policy.md"), "# Rules\n\nFor a house.\n");
        File.WriteAllText(Path.Combine(PolicyFolder, "theft.md"), $"# Theft\n\nTaking.\n\n## {action}\n\n- **T1** A story: fiction.\n");
        return Policy.Load(PolicyFolder);
    }

    // Two runs of three prompts each, of which they share two; one call failed.
    private async Task FillAsync()
    {
        var spec = WritePolicy("Allowed").Spec("theft");
        using var store = ResponseStore.Open(Store);
        foreach (var (run, from) in ((string, int)[])[("first", 0), ("second", 1)])
            for (var i = from; i < from + 3; i++)
            {
                var request = CanonicalRequest.Of([new(ChatRole.User, $"{spec.Text} question {i}")]);
                var use = new ResponseUse(run, "generate", $"p{i}", spec.PolicyHash, "theft");
                var response = new ChatResponse(new ChatMessage(ChatRole.Assistant, $"<think>why</think>answer {i}")) { Usage = new() { InputTokenCount = 100, OutputTokenCount = 1234 } };
                if (!await store.AddAsync(new(request.Key("m1"), request, "m1", new($"p{i}", 0, spec), use, response, 0.5m))) await store.AddUseAsync(request.Key("m1"), use);
            }

        await store.AddFailureAsync(CanonicalRequest.Of([]).Key("m1"), new("second", "judge", "p9"), 2, "m1", "503 busy");
    }

    [Fact]
    public async Task Runs_are_listed_with_what_they_paid_and_reused()
    {
        await FillAsync();
        var lines = (await ResultsAsync("list")).TrimEnd().Split('\n');
        Assert.StartsWith($"{Store}: 4 responses to 4 requests, ", lines[0], StringComparison.Ordinal);
        Assert.Matches(@"^first +\S+ \S+ UTC +generate +3 +3 +0 +0 +\$1\.50$", lines[^2]);
        Assert.Matches(@"^second +\S+ \S+ UTC +generate +3 +1 +2 +1 +\$0\.50$", lines[^1]);
    }

    [Fact]
    public async Task A_run_is_shown_with_failures_and_with_what_a_changed_policy_or_judge_makes_stale()
    {
        await FillAsync();
        var shown = await ResultsAsync("show", "second");
        Assert.Matches(@"generate +m1 +– +3 +1 +2 +100 +1,234 +\$0\.50", shown);
        Assert.Matches(@"judge +p9 +2 +1 +503 busy", shown);
        Assert.DoesNotContain("stale", shown, StringComparison.Ordinal);
        Assert.Contains("3 responses are valid, 0 are stale", await ResultsAsync("show", "second", "--policy", PolicyFolder), StringComparison.Ordinal);
        Assert.Contains("3 responses are valid, 0 are stale", await ResultsAsync("show", "second", "--judge", "another"), StringComparison.Ordinal);
        WritePolicy("Disallowed");
        Assert.Contains("0 responses are valid, 3 are stale", await ResultsAsync("show", "second", "--policy", PolicyFolder), StringComparison.Ordinal);
        Assert.DoesNotContain("503 busy", await ResultsAsync("show", "second", "--failures", "0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_runs_are_compared()
    {
        await FillAsync();
        Assert.Matches(@"generate +2 +0 +1 +1", await ResultsAsync("diff", "first", "second"));
    }

    [Fact]
    public async Task Cleaning_only_says_what_it_would_do_until_it_is_told_to()
    {
        await FillAsync();
        var (code, streams) = await RunAsync("gc", "first");
        Assert.Equal(ExitCodes.Success, code);
        Assert.StartsWith("would delete 1 responses", streams.Results, StringComparison.Ordinal);
        Assert.Contains("--apply", streams.Notes, StringComparison.Ordinal);
        Assert.Contains("first", await ResultsAsync("list"), StringComparison.Ordinal);
        Assert.StartsWith("deleted 1 responses", await ResultsAsync("gc", "first", "--apply"), StringComparison.Ordinal);
        var list = await ResultsAsync("list");
        Assert.DoesNotContain("first", list, StringComparison.Ordinal);
        Assert.Contains(": 3 responses", list, StringComparison.Ordinal);
        WritePolicy("Disallowed");
        Assert.StartsWith("deleted 3 responses", await ResultsAsync("gc", "--stale", PolicyFolder, "--apply"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tables_are_exported_by_the_ending_of_the_file()
    {
        await FillAsync();
        var (lines, parquet) = (Path.Combine(_folder, "out.jsonl"), Path.Combine(_folder, "out.parquet"));
        await ResultsAsync("export", "completions", lines, "--run", "first");
        Assert.Equal(3, File.ReadLines(lines).Count(line => line.Contains("\"thinking\":\"why\"", StringComparison.Ordinal)));
        await ResultsAsync("export", "completions", parquet);
        Assert.Equal("PAR1", System.Text.Encoding.ASCII.GetString(await File.ReadAllBytesAsync(parquet, Token), 0, 4));
    }

    [Theory]
    [InlineData("list", "no run store at")]
    [InlineData("gc x --apply", "no run store at")]
    [InlineData("export runs out.jsonl", "no run store at")]
    public async Task A_store_that_is_not_there_gives_one_line_and_two_and_is_not_made(string line, string expected)
    {
        var (code, streams) = await RunAsync(line.Split(' '));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(expected, Assert.Single(streams.NoteLines), StringComparison.Ordinal);
        Assert.False(File.Exists(Store));
    }

    [Theory]
    [InlineData("show nobody", "has no run 'nobody'; known are first, second.")]
    [InlineData("diff first nobody", "has no run 'nobody'")]
    [InlineData("gc nobody", "has no run 'nobody'")]
    [InlineData("export nonsense out.jsonl", "'nonsense' is no table of a run store; known are completions")]
    public async Task Names_that_are_not_there_give_one_line_and_two(string line, string expected)
    {
        await FillAsync();
        var (code, streams) = await RunAsync(line.Split(' '));
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains(expected, Assert.Single(streams.NoteLines), StringComparison.Ordinal);
    }
}
