using System.CommandLine;

namespace Deliberate.Cli.Commands;

/// <summary><c>model</c>: what a base model can do.</summary>
internal sealed class ModelCommand : Command
{
    public ModelCommand(Interaction.Terminal terminal) : base("model", "Look at a base model.") => Add(new ModelAbilitiesCommand(terminal));
}
