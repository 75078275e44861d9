using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Pipeline;
using Deliberate.Pipeline.Data;

namespace Deliberate.Cli.Commands;

/// <summary><c>generate</c>, <c>judge</c>, <c>distill</c>, <c>sft</c>, <c>rl</c>, <c>eval</c>: one stage, and what it needs that is not done yet.</summary>
internal sealed class StageCommand : Command, IResumable
{
    private readonly AlignmentArguments _arguments;
    private readonly DataArguments? _data;
    private readonly Terminal _terminal;

    public StageCommand(Terminal terminal, string stage, string description) : base(stage, description)
    {
        (_terminal, _arguments) = (terminal, new(this));
        if (DataRun.StageNames.Contains(stage)) _data = new(this, _arguments);
        SetAction(RunAsync);
    }

    /// <inheritdoc/>
    public string KeptIn(ParseResult parse) => _data?.Given(parse) ?? false ? _data.Read(parse).Out : _arguments.Read(parse).Out;

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        if (_data?.Given(parse) ?? false) return await DataStages.RunAsync(_terminal, _data, parse, [Name], cancel);
        var options = _arguments.Read(parse);
        using var alignment = Alignment.Open(options);
        IReadOnlyList<(string Name, string Value)> figures;
        await using (var progress = ProgressView.Over(_terminal)) figures = await alignment.StageAsync(Name, progress, cancel);
        Facts.Write(_terminal, figures);
        _terminal.Note($"{Name} is done; work is kept in {options.Out}");
        return ExitCodes.Success;
    }
}
