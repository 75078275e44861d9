using System.CommandLine;

namespace Deliberate.Cli.Commands;

/// <summary><c>model</c>: look at models, import them, and probe their parts from scripts.</summary>
internal sealed class ModelCommand : Command
{
    public ModelCommand(Interaction.Terminal terminal) : base("model", "Look at models, import them, and probe their parts: JSON lines in, JSON lines out.")
    {
        Add(new ModelInspectCommand(terminal));
        Add(new ModelImportCommand(terminal));
        Add(new ModelEncodeCommand(terminal));
        Add(new ModelDecodeCommand(terminal));
        Add(new ModelRenderCommand(terminal));
        Add(new ModelLogitsCommand(terminal));
        Add(new ModelGreedyCommand(terminal));
        Add(new ModelAbilitiesCommand(terminal));
    }
}
