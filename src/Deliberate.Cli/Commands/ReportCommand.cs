using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Pipeline;

namespace Deliberate.Cli.Commands;

/// <summary><c>report</c>: the report of a run's folder, with whatever is missing for it.</summary>
internal sealed class ReportCommand : Command, IResumable
{
    private readonly AlignmentArguments _arguments;
    private readonly Terminal _terminal;

    public ReportCommand(Terminal terminal) : base("report", "Write report.html and report.json from what the run folder holds; what is missing is done first.")
    {
        (_terminal, _arguments) = (terminal, new(this));
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public string KeptIn(ParseResult parse) => _arguments.Read(parse).Out;

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var options = _arguments.Read(parse);
        using var alignment = Alignment.Open(options);
        await using (var progress = ProgressView.Over(_terminal)) await alignment.StageAsync(Name, progress, cancel);
        var report = ReportFiles.Read(options.Out);
        RunSummary.Write(_terminal, report);
        await ReportFiles.WritePageAsync(_terminal, report, options.Out);
        return ExitCodes.Success;
    }
}
