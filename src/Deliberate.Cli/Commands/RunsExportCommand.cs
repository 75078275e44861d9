using System.CommandLine;
using System.Globalization;
using Deliberate.Cli.Interaction;
using Deliberate.Runs.Store;

namespace Deliberate.Cli.Commands;

/// <summary><c>runs export</c>: a table of a store as a file.</summary>
internal sealed class RunsExportCommand : Command
{
    private readonly Argument<string> _table = new("TABLE") { Description = $"One of {string.Join(", ", StoreExport.Tables)}." };
    private readonly Argument<string> _file = new("FILE") { Description = "Where to write: Parquet when it ends in .parquet, JSON lines else." };
    private readonly Option<string> _store = RunsCommand.StoreOption();
    private readonly Option<string> _run = new("--run") { HelpName = "RUN", Description = "Only what this run uses." };
    private readonly Terminal _terminal;

    public RunsExportCommand(Terminal terminal) : base("export", "Write a table of a store to a file, as JSON lines or Parquet.")
    {
        _terminal = terminal;
        Arguments.Add(_table);
        Arguments.Add(_file);
        Options.Add(_store);
        Options.Add(_run);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        using var store = ResponseStore.OpenReadOnly(parse.GetRequiredValue(_store));
        var file = parse.GetRequiredValue(_file);
        var rows = await StoreExport.WriteAsync(store, parse.GetRequiredValue(_table), file, parse.GetValue(_run), cancel);
        _terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{file}: {rows:N0} rows"));
        return ExitCodes.Success;
    }
}
