using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace Deliberate.Cli.Tests;

public partial class DocumentationTests
{
    private const string Shared = "[the options of a run](#options-of-a-run)";

    private static readonly string[] Sections = SectionHeading().Split(File.ReadAllText(typeof(DocumentationTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "Documentation").Value!));

    private static async Task<string> HelpAsync(string[] command)
    {
        var streams = new Streams();
        Assert.Equal(ExitCodes.Success, await new Application(streams.Terminal()).RunAsync([.. command, "--help"], TestContext.Current.CancellationToken));
        return streams.Results;
    }

    private static async Task<IReadOnlyList<(string[] Command, string Help)>> CommandsAsync(string[] parent)
    {
        var help = await HelpAsync(parent);
        var at = help.IndexOf("Commands:", StringComparison.Ordinal);
        if (at < 0) return [(parent, help)];
        var all = new List<(string[], string)>();
        // A command with options of its own also runs by itself.
        if (parent.Length > 0 && OptionName().Matches(help[..at]).Any(option => option.Value is not "--help")) all.Add((parent, help[..at]));
        foreach (Match name in CommandName().Matches(help[at..])) all.AddRange(await CommandsAsync([.. parent, name.Groups[1].Value]));
        Assert.NotEmpty(all);
        return all;
    }

    // A command's options stand under its own heading, and those that it shares under theirs.
    private static string Documented(string[] command)
    {
        var section = Sections.SingleOrDefault(part => part.Split('\n')[0].Contains($"`{string.Join(' ', command)}`", StringComparison.Ordinal));
        Assert.True(section is not null, $"docs/commands.md has no heading with `{string.Join(' ', command)}`");
        section = section.ReplaceLineEndings(" ");
        return section.Contains(Shared, StringComparison.Ordinal) ? section + Sections.Single(part => part.StartsWith("Options of a run", StringComparison.Ordinal)) : section;
    }

    [Fact]
    public async Task Every_command_and_option_is_documented()
    {
        var commands = await CommandsAsync([]);
        Assert.Contains(commands, entry => entry.Command is ["policy", "check"]);
        Assert.All(commands, entry => Assert.All(OptionName().Matches(entry.Help).Select(match => match.Value).Distinct().Where(option => option != "--help"),
            option => Assert.Contains($"`{option}", Documented(entry.Command), StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Every_documented_command_exists()
    {
        var commands = (await CommandsAsync([])).Select(entry => string.Join(' ', entry.Command)).ToHashSet();
        var documented = Sections.Skip(1).SelectMany(section => Quoted().Matches(section.Split('\n')[0]).Select(match => match.Groups[1].Value));
        Assert.Equal(commands.Order(), documented.Order());
    }

    [GeneratedRegex("(?m)^## ")]
    private static partial Regex SectionHeading();

    [GeneratedRegex(@"(?m)^  ([a-z]+)\s")]
    private static partial Regex CommandName();

    [GeneratedRegex("--[a-z][a-z-]*")]
    private static partial Regex OptionName();

    [GeneratedRegex("`([a-z ]+)`")]
    private static partial Regex Quoted();
}
