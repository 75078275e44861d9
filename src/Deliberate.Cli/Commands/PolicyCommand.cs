using System.CommandLine;

namespace Deliberate.Cli.Commands;

/// <summary><c>policy</c>: read and check policies.</summary>
internal sealed class PolicyCommand : Command
{
    public PolicyCommand(Interaction.Terminal terminal) : base("policy", "Read and check policies.")
    {
        Add(new PolicyShowCommand(terminal));
        Add(new PolicyCheckCommand(terminal));
    }
}
