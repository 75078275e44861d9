using Deliberate.Cli.Interaction;
using Deliberate.Evaluation;
using Deliberate.Pipeline;
using Deliberate.Reports;
using Xunit;

namespace Deliberate.Cli.Tests;

public class RunSummaryTests
{
    private static readonly RunReport Report = new()
    {
        Name = "example-seed1",
        Seed = 1,
        Policy = new("policies/example", "abc"),
        Base = new("def", 4_900_000),
        Machine = new(2, 245, 1_900_000_000),
        Stages = [],
        Arms = [.. Arms.All.Select((arm, i) => new ReportArm(arm, RunSummary.Metrics.Skip(1).ToDictionary(name => name, _ => new Metric(0.9 - 0.1 * i, 0.85 - 0.1 * i, 0.95 - 0.1 * i, 100))))],
        Judge = new Dictionary<string, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Metric>>>
        {
            ["end"] = new Dictionary<string, IReadOnlyDictionary<string, Metric>>
            {
                ["min4"] = new Dictionary<string, Metric> { ["off_topic"] = new(0.01, 0, 0.02, 100), ["wrong_style"] = new(0.025, 0.01, 0.04, 100), ["blended"] = Metric.None() },
            },
        },
        Alarms = [new(12, "length", "answers grew by half")],
        Notes = ["goodness does not rise in the expected order"],
    };

    [Fact]
    public void Redirected_it_is_plain_one_line_a_metric()
    {
        var streams = new Streams();
        RunSummary.Write(streams.Terminal(), Report);
        Assert.DoesNotContain('\e', streams.Results);
        var lines = streams.Results.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.All(Arms.All, arm => Assert.Contains(arm, lines[0], StringComparison.Ordinal));
        Assert.Equal(6, lines.Single(line => line.StartsWith("Right action", StringComparison.Ordinal)).Split(" [").Length - 1);
        Assert.Contains("0.900 [0.85, 0.95]", lines.Single(line => line.StartsWith("Right action", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(RunSummary.Metrics.Count + 1 + 4, lines.Length);
    }

    [Fact]
    public void What_was_not_measured_is_a_dash()
    {
        var streams = new Streams();
        RunSummary.Write(streams.Terminal(), Report);
        Assert.Equal(6, streams.Results.Split('\n').Single(line => line.StartsWith("Harmful complied", StringComparison.Ordinal)).Count(letter => letter == '–'));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(110)]
    [InlineData(200)]
    public void On_a_terminal_no_line_is_wider_than_it(int width)
    {
        var streams = new Streams();
        RunSummary.Write(streams.Terminal(styled: true, width), Report with { Alarms = [], Notes = [] });
        Assert.Contains('\e', streams.Results);
        // No interval is cut: each is whole in one line.
        Assert.Equal(6 * (RunSummary.Metrics.Count - 1), System.Text.RegularExpressions.Regex.Count(WithoutStyle(streams.Results[..streams.Results.IndexOf('╰', StringComparison.Ordinal)]), @"-?\d\.\d\d(, |–)-?\d\.\d\d"));
        Assert.All(streams.Results.Split('\n'), line => Assert.True(WithoutStyle(line).TrimEnd().Length <= width, line));
    }

    [Fact]
    public void Below_the_table_stand_the_judge_alarms_notes_and_cost() =>
        Assert.Equal(
        [
            "judge at the end, min of 4: most errors on wrong style, 0.025 [0.01, 0.04]",
            "alarm at step 12: length: answers grew by half",
            "note: goodness does not rise in the expected order",
            "4 min 05 s on 2 cores, 1.9 GB of memory at most",
        ], RunSummary.Lines(Report));

    private static string WithoutStyle(string line) => System.Text.RegularExpressions.Regex.Replace(line, "\e\\[[0-9;?]*[a-zA-Z]", "");
}
