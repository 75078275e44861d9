using System.Text.RegularExpressions;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.EndToEnd.Tests;

public class CommandTests
{
    [Fact]
    public async Task Without_arguments_the_program_prints_help()
    {
        var result = await CliProcess.RunAsync();
        Assert.Equal((0, ""), (result.Code, result.Err));
        Assert.Contains("deliberate [command] [options]", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_command_and_option_is_documented()
    {
        var documented = await File.ReadAllTextAsync(Path.Combine(Shipped.Repository, "docs", "commands.md"), TestContext.Current.CancellationToken);
        foreach (var command in await CommandsAsync([]))
        {
            var section = Section(documented, command);
            var help = (await CliProcess.RunAsync([.. command, "--help"])).Out;
            Assert.All(Regex.Matches(help, "--[a-z-]+").Select(match => match.Value).Distinct().Except(["--help"]), option => Assert.Contains(option, section, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_example_policy_is_shown_in_whole_and_by_category_and_has_no_errors()
    {
        var policy = Policy.Load(Shipped.Policy);
        var overview = await CliProcess.RunAsync("policy", "show", Shipped.Policy);
        Assert.Equal((0, ""), (overview.Code, overview.Err));
        Assert.All(policy.Clauses, clause => Assert.Contains(clause.Code, overview.Out, StringComparison.Ordinal));
        Assert.Contains(policy.Hash, overview.Out, StringComparison.Ordinal);

        var category = policy.Categories[0];
        var spec = await CliProcess.RunAsync("policy", "show", Shipped.Policy, "--category", category.Id);
        Assert.Equal(policy.Spec(category.Id).Text.Trim(), spec.Out.Trim());

        Assert.Equal(0, (await CliProcess.RunAsync("policy", "check", Shipped.Policy)).Code);
    }

    private static async Task<IReadOnlyList<string[]>> CommandsAsync(string[] parent)
    {
        var help = (await CliProcess.RunAsync([.. parent, "--help"])).Out;
        var at = help.IndexOf("Commands:", StringComparison.Ordinal);
        if (at < 0) return [parent];
        var all = new List<string[]>();
        foreach (Match name in Regex.Matches(help[at..], @"(?m)^  ([a-z]+)\s")) all.AddRange(await CommandsAsync([.. parent, name.Groups[1].Value]));
        Assert.NotEmpty(all);
        return all;
    }

    // A command's options stand under its own heading or under one that it shares.
    private static string Section(string documented, string[] command)
    {
        var name = string.Join(' ', command);
        var section = Regex.Split(documented, "(?m)^## ").SingleOrDefault(part => part.Split('\n')[0].Contains($"`{name}`", StringComparison.Ordinal));
        Assert.True(section is not null, $"docs/commands.md has no heading with `{name}`");
        return section.Contains("[the options of a run](#options-of-a-run)", StringComparison.Ordinal) ? section + Regex.Split(documented, "(?m)^## ").Single(part => part.StartsWith("Options of a run", StringComparison.Ordinal)) : section;
    }
}
