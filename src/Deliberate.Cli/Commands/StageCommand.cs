using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Pipeline;

namespace Deliberate.Cli.Commands;

/// <summary><c>generate</c>, <c>judge</c>, <c>distill</c>, <c>sft</c>, <c>rl</c>, <c>eval</c>: one stage, and what it needs that is not done yet.</summary>
internal sealed class StageCommand : Command, IResumable
{
    private readonly AlignmentArguments _arguments;
    private readonly Terminal _terminal;

    public StageCommand(Terminal terminal, string stage, string description) : base(stage, description)
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
        IReadOnlyList<(string Name, string Value)> figures;
        await using (var progress = ProgressView.Over(_terminal)) figures = await alignment.StageAsync(Name, progress, cancel);
        Facts.Write(_terminal, figures);
        _terminal.Note($"{Name} is done; work is kept in {options.Out}");
        return ExitCodes.Success;
    }
}
