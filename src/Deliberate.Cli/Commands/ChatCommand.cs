using System.CommandLine;
using Deliberate.Cli.Interaction;
using Deliberate.Pipeline;
using Deliberate.Policies;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Commands;

/// <summary><c>chat</c>: talk to a model of a run, or to a base model.</summary>
internal sealed class ChatCommand : Command
{
    private readonly Option<string> _run = new("--run") { HelpName = "FOLDER", Description = "The run whose model to talk to." };
    private readonly Option<string> _arm = new("--arm")
    {
        HelpName = "ARM",
        Description = $"Which of its models: {string.Join(", ", Arms.All)}.",
        DefaultValueFactory = _ => Arms.SftRl,
    };

    private readonly Option<string> _model = new("--model") { HelpName = "MODEL", Description = "A model to talk to instead: a folder, miniature, openai:MODEL@URL, ollama:MODEL, hf:OWNER/NAME, or a name in deliberate.yaml." };
    private readonly Option<string> _policy = new("--policy") { HelpName = "FOLDER", Description = "With --model: a policy to put in its context." };
    private readonly Option<bool> _showThinking = new("--show-thinking") { Description = "Show what the model thinks before it answers." };
    private readonly Terminal _terminal;

    public ChatCommand(Terminal terminal) : base("chat", "Talk to a model in the terminal, or answer one prompt a line from a pipe. /reset forgets the conversation, /quit ends it.")
    {
        _terminal = terminal;
        foreach (var option in (Option[])[_run, _arm, _model, _policy, _showThinking]) Options.Add(option);
        Validators.Add(result =>
        {
            var (run, model, policy) = (result.GetValue(_run), result.GetValue(_model), result.GetValue(_policy));
            if ((run is null) == (model is null)) result.AddError("Give either --run FOLDER or --model MODEL.");
            else if (policy is not null && model is null) result.AddError("--policy goes with --model; a run has its own policy in the arm 'base+policy'.");
            if (result.GetValue(_arm) is { } arm && !Arms.All.Contains(arm)) result.AddError($"--arm: '{arm}' is no arm; known: {string.Join(", ", Arms.All)}.");
        });
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var model = parse.GetValue(_model);
        var known = model is null ? null : ModelArguments.Find(model);
        if (known is { Name.Address: not null })
        {
            using var client = known.CreateClient();
            ChatMessage[] system = parse.GetValue(_policy) is { } folder ? [new(ChatRole.System, Policy.Load(folder).Spec(null).Text)] : [];
            return await new ChatSession(_terminal, client, model!, system, parse.GetValue(_showThinking)).RunAsync(cancel);
        }

        // The miniature is the one model of this machine without a path.
        var path = known is null ? model : known.Name.Path ?? ShippedModel.Folder;
        using var arm = path is not null
            ? ArmModels.OpenModel(await ModelPath.ResolveAsync(path, _terminal, cancel), parse.GetValue(_policy))
            : ArmModels.Open(parse.GetRequiredValue(_run), parse.GetRequiredValue(_arm));
        if (arm.Prompts is { } prompts) _terminal.Note($"prompts: {prompts}");
        return await new ChatSession(_terminal, arm.Client, arm.Name, arm.SystemMessages, parse.GetValue(_showThinking)).RunAsync(cancel);
    }
}
