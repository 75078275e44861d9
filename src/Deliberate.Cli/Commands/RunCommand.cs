using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Pipeline;
using Deliberate.Pipeline.Data;
using Deliberate.Reports;

namespace Deliberate.Cli.Commands;

/// <summary><c>run</c>: the whole method, from a policy to a report.</summary>
internal sealed class RunCommand : Command, IResumable
{
    private readonly AlignmentArguments _arguments;
    private readonly DataArguments _data;
    private readonly Terminal _terminal;

    public RunCommand(Terminal terminal) : base("run", "Run every stage and compare the arms: from a written policy to an aligned model and its report.")
    {
        (_terminal, _arguments) = (terminal, new(this));
        _data = new(this, _arguments);
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public string KeptIn(ParseResult parse) => _data.Given(parse) ? _data.Read(parse).Out : _arguments.Read(parse).Out;

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        if (_data.Given(parse)) return await DataStages.RunAsync(_terminal, _data, parse, DataRun.StageNames, cancel);
        var options = _arguments.Read(parse);
        using var alignment = Alignment.Open(options);
        _terminal.Note($"aligning to {options.PolicyFolder}, seed {options.Seed}; work is kept in {options.Out}");
        RunReport report;
        await using (var progress = ProgressView.Over(_terminal)) report = await alignment.RunAsync(progress, cancel);
        RunSummary.Write(_terminal, report);
        await ReportFiles.WritePageAsync(_terminal, report, options.Out);
        return ExitCodes.Success;
    }
}
