using System.CommandLine;

namespace Deliberate.Cli.Commands;

/// <summary><c>prompts</c>: have a model label prompts, or write contrast prompts to them.</summary>
internal sealed class PromptsCommand : Command
{
    public PromptsCommand(Interaction.Terminal terminal) : base("prompts", "Have a model name the categories of prompts, or write harmless prompts that look like harmful ones.")
    {
        Add(new PromptsLabelCommand(terminal));
        Add(new PromptsContrastCommand(terminal));
    }
}
