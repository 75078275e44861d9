using Deliberate.Evaluation;
using Deliberate.Reports;
using Deliberate.Server.Report;
using Spectre.Console;

namespace Deliberate.Cli.Interaction;

/// <summary>The end of a run on the terminal: the arms against the main metrics, the judge, the alarms and where the report lies.</summary>
internal static class RunSummary
{
    private const int LabelWidth = 30, WideCell = 22;

    /// <summary>The metrics of the table, by their names in the report.</summary>
    public static IReadOnlyList<string> Metrics { get; } =
    [
        "harmful_complied", "over_refusal_benign", "over_refusal_allowed", "safe_completion", "goodness_at_0.1", "ood_complied", "recall_exact", "helpfulness", "correct",
    ];

    /// <summary>Writes the summary to the results.</summary>
    public static void Write(Terminal terminal, RunReport report)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        ArgumentNullException.ThrowIfNull(report);
        var console = terminal.ResultsConsole();
        console.Write(Table(report, terminal.ResultsStyled, console.Profile.Width));
        foreach (var line in Lines(report)) terminal.Results.WriteLine(line);
    }

    /// <summary>The lines under the table: the judge's worst error, alarms, notes, cost.</summary>
    public static IEnumerable<string> Lines(RunReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (WorstJudgeError(report) is var (kind, metric)) yield return $"judge at the end, min of 4: most errors on {kind.Replace('_', ' ')}, {Figures.Value(metric)} {Figures.Interval(metric)}";
        foreach (var alarm in report.Alarms) yield return $"alarm at step {alarm.Step}: {alarm.Kind}: {alarm.Detail}";
        foreach (var note in report.Notes) yield return $"note: {note}";
        yield return $"{Figures.Duration(TimeSpan.FromSeconds(report.Machine.WallSeconds))} on {report.Machine.Cores} cores, {Figures.Bytes(report.Machine.PeakMemoryBytes)} of memory at most";
    }

    private static (string Kind, Metric Metric)? WorstJudgeError(RunReport report) =>
        report.Judge.TryGetValue("end", out var end) && end.TryGetValue("min4", out var errors)
        && errors.Where(error => error.Value.N > 0).OrderByDescending(error => error.Value.Value).Select(error => (error.Key, error.Value)).ToArray() is [var worst, ..] ? worst : null;

    private static Table Table(RunReport report, bool styled, int width)
    {
        var wide = LabelWidth + report.Arms.Count * WideCell <= width;
        var table = new Table { Border = styled ? TableBorder.Rounded : TableBorder.None };
        TableColumn Column(string title, string? style) => new(Plain(title, style)) { Padding = wide ? new Padding(1, 0) : new Padding(0, 0), NoWrap = wide };
        table.AddColumn(Column("↑ more, ↓ less is better", styled ? "grey" : null));
        foreach (var arm in report.Arms) table.AddColumn(Column(wide ? arm.Name : InTwoLines(arm.Name), styled ? "bold" : null));
        foreach (var metric in Metrics.Select(MetricInfo.Of))
        {
            var values = report.Arms.Select(arm => arm.Metrics.GetValueOrDefault(metric.Name)).ToArray();
            var measured = values.Where(value => value is { N: > 0 }).Select(value => value!.Value).ToArray();
            var best = measured.Length < 2 ? double.NaN : metric.LowerIsBetter ? measured.Min() : measured.Max();
            var row = values.Select(value => Cell(value, styled, wide, styled && value is { N: > 0 } && value.Value.Equals(best)));
            table.AddRow(row.Prepend(Plain($"{metric.Title} {(metric.LowerIsBetter ? '↓' : '↑')}", null)));
        }

        return table;
    }

    private static Markup Cell(Metric? metric, bool styled, bool wide, bool best)
    {
        var (value, interval, between) = (Figures.Value(metric), Markup.Escape(wide ? Figures.Interval(metric) : Figures.NarrowInterval(metric)), wide ? " " : "\n");
        return new Markup(!styled ? $"{value}{between}{interval}" : $"{(best ? $"[green]{value}[/]" : value)}{between}[grey]{interval}[/]");
    }

    // "instant-refusal" and "base+policy" are the only long ones.
    private static string InTwoLines(string arm) => arm.IndexOfAny(['-', '+']) is > 0 and var at && arm.Length > 9 ? $"{arm[..(at + 1)]}\n{arm[(at + 1)..]}" : arm;

    private static Markup Plain(string text, string? style) => new(style is null ? Markup.Escape(text) : $"[{style}]{Markup.Escape(text)}[/]");
}
