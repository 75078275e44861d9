using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Runs.Store;

namespace Deliberate.Cli.Commands;

/// <summary><c>runs list</c>: the runs of a store.</summary>
internal sealed class RunsListCommand : Command
{
    private readonly Option<string> _store = RunsCommand.StoreOption();
    private readonly Terminal _terminal;

    public RunsListCommand(Terminal terminal) : base("list", "Print the runs of a store: what they asked, paid and re-used.")
    {
        _terminal = terminal;
        Options.Add(_store);
        SetAction(Run);
    }

    private int Run(ParseResult parse)
    {
        using var store = ResponseStore.OpenReadOnly(parse.GetRequiredValue(_store));
        _terminal.Results.WriteLine(RunsText.List(StoreSummary.Of(store)));
        return ExitCodes.Success;
    }
}
