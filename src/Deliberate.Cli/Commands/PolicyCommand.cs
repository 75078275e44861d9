using System.CommandLine;

namespace Deliberate.Cli.Commands;

/// <summary><c>policy</c>: read, check, compare and import policies.</summary>
internal sealed class PolicyCommand : Command
{
    public PolicyCommand(Interaction.Terminal terminal) : base("policy", "Read, check, compare, import and condense policies.")
    {
        Add(new PolicyShowCommand(terminal));
        Add(new PolicyCheckCommand(terminal));
        Add(new PolicyDiffCommand(terminal));
        Add(new PolicyImportCommand(terminal));
        Add(new PolicySummarizeCommand(terminal));
    }
}
