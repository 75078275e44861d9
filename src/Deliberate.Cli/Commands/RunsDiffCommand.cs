using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Runs.Store;

namespace Deliberate.Cli.Commands;

/// <summary><c>runs diff</c>: how two runs differ.</summary>
internal sealed class RunsDiffCommand : Command
{
    private readonly Argument<string> _first = new("A") { Description = "A run." };
    private readonly Argument<string> _second = new("B") { Description = "Another run." };
    private readonly Option<string> _store = RunsCommand.StoreOption();
    private readonly Terminal _terminal;

    public RunsDiffCommand(Terminal terminal) : base("diff", "Print in which settings two runs differ, and how many responses they share, by stage.")
    {
        _terminal = terminal;
        Arguments.Add(_first);
        Arguments.Add(_second);
        Options.Add(_store);
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        using var store = ResponseStore.OpenReadOnly(parse.GetRequiredValue(_store));
        _terminal.Results.WriteLine(RunsText.Difference(RunDifference.Between(store, parse.GetRequiredValue(_first), parse.GetRequiredValue(_second))));
        return ExitCodes.Success;
    }
}
