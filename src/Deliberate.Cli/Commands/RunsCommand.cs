using System.CommandLine;

namespace Deliberate.Cli.Commands;

/// <summary><c>runs</c>: what the run store holds.</summary>
internal sealed class RunsCommand : Command
{
    /// <summary>The store when the command line does not name one.</summary>
    public const string DefaultStore = "runs/responses.db";

    public RunsCommand(Interaction.Terminal terminal) : base("runs", "Look at the responses that runs have paid for, compare runs, clean up, export.")
    {
        Add(new RunsListCommand(terminal));
        Add(new RunsShowCommand(terminal));
        Add(new RunsDiffCommand(terminal));
        Add(new RunsGcCommand(terminal));
        Add(new RunsExportCommand(terminal));
    }

    /// <summary>The option that names the store.</summary>
    public static Option<string> StoreOption() => new("--store") { HelpName = "FILE", Description = "The run store.", DefaultValueFactory = _ => DefaultStore };
}
