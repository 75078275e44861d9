using System.Text.Json;
using Xunit;

namespace Deliberate.Cli.Tests;

public sealed class PolicyCommandsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("deliberate-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<(int Code, Streams Streams)> RunAsync(params string[] args)
    {
        var streams = new Streams();
        return (await new Application(streams.Terminal()).RunAsync(args, TestContext.Current.CancellationToken), streams);
    }

    private string PolicyWith(string name, string clauses, string summary = "Things that grow.")
    {
        var folder = Path.Combine(_folder, name);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "policy.md"), "# House rules\n");
        File.WriteAllText(Path.Combine(folder, "garden.md"), $"# Garden\n\n{summary}\n\n## Allowed\n\n{clauses}\n");
        return folder;
    }

    [Fact]
    public async Task Diff_names_what_changed_and_which_specifications_are_stale()
    {
        var (a, b) = (PolicyWith("a", "- **G1** Roses: gladly.\n- **G2** Weeds: too."), PolicyWith("b", "- **G1** Roses: with care.\n- **G3** Trees: also."));
        var (code, streams) = await RunAsync("policy", "diff", a, b);
        Assert.Equal(ExitCodes.Failure, code);
        Assert.Equal(
            ["~ garden: clauses", "~ garden G1: text", "    - comply: Roses: gladly.", "    + comply: Roses: with care.", "- garden G2", "    - comply: Weeds: too.", "+ garden G3", "    + comply: Trees: also."],
            streams.Results.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("3 clauses differ; stale specifications: garden", Assert.Single(streams.NoteLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_speaks_to_machines()
    {
        var (a, b) = (PolicyWith("a", "- **G1** Roses: gladly."), PolicyWith("b", "- **G1** Roses: gladly.", "Plants."));
        var (code, streams) = await RunAsync("policy", "diff", a, b, "--json");
        Assert.Equal(ExitCodes.Failure, code);
        var json = JsonDocument.Parse(streams.Results).RootElement;
        Assert.True(json.GetProperty("all_specifications_stale").GetBoolean());
        Assert.Equal("summary", json.GetProperty("categories")[0].GetProperty("fields")[0].GetString());
        Assert.Equal("garden", json.GetProperty("changed_categories")[0].GetString());
        Assert.Equal(0, json.GetProperty("clauses").GetArrayLength());
        (code, streams) = await RunAsync("policy", "diff", a, a);
        Assert.Equal((ExitCodes.Success, ""), (code, streams.Results));
        Assert.Contains("no difference", streams.Notes, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_writes_a_policy_that_the_other_commands_read()
    {
        var (file, folder) = (Path.Combine(_folder, "rules.md"), Path.Combine(_folder, "out"));
        File.WriteAllText(file, "# Rules {#rules}\n\n## Gates {#gates authority=root}\n\nThe guard must not open the gate.\n\n## Doors {#doors}\n\nThe guard may open doors.\n\n!!! meta \"Commentary\"\n    Doors are fine.\n");
        var (code, streams) = await RunAsync("policy", "import", file, folder);
        Assert.Equal(ExitCodes.Success, code);
        Assert.Contains($"{file}:11: warning: not imported: lines 11 to 12", streams.Results, StringComparison.Ordinal);
        Assert.StartsWith($"{folder}: 2 categories, 2 clauses; ", Assert.Single(streams.NoteLines), StringComparison.Ordinal);
        (code, streams) = await RunAsync("policy", "show", folder, "--category", "gates");
        Assert.Equal(ExitCodes.Success, code);
        Assert.Contains("- [G1] The guard must not open the gate.", streams.Results, StringComparison.Ordinal);

        (code, streams) = await RunAsync("policy", "import", file, folder);
        Assert.Equal(ExitCodes.BadInput, code);
        Assert.Contains("is not empty", Assert.Single(streams.NoteLines), StringComparison.Ordinal);
        (code, _) = await RunAsync("policy", "import", file, Path.Combine(_folder, "doors"), "--under", "doors");
        Assert.Equal((ExitCodes.Success, false), (code, File.Exists(Path.Combine(_folder, "doors", "gates.md"))));
    }
}
