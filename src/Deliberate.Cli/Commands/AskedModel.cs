using System.CommandLine;
using Deliberate.Endpoints;
using Deliberate.Endpoints.Models;
using Deliberate.Pipeline.Clients;
using Deliberate.Prompts;
using Microsoft.Extensions.AI;

namespace Deliberate.Cli.Commands;

/// <summary>The options of commands that ask one model behind an endpoint many questions: what was answered once is not paid for again.</summary>
internal sealed class AskedModel
{
    private readonly Option<string> _model;
    private readonly Option<string> _responses = new("--responses") { HelpName = "FILE", Description = "The store of endpoints' responses, shared by all runs.", DefaultValueFactory = _ => ModelRoles.DefaultResponses };
    private readonly Option<int> _seed = OptionsOf.Number("--seed", "The seed of all randomness.", 0, 1);
    private readonly string _use;
    private readonly Func<ModelSettings, IChatClient>? _open;

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="use">What the model is for, as stages are named: "label".</param>
    /// <param name="open">Opens a model in place of its endpoint.</param>
    public AskedModel(Command command, string use, Func<ModelSettings, IChatClient>? open = null)
    {
        (_use, _open) = (use, open);
        _model = new("--model") { HelpName = "MODEL", Description = "The model that is asked: openai:MODEL@URL, ollama:MODEL, or a name in deliberate.yaml.", Required = true };
        foreach (var option in (Option[])[_model, _responses, _seed]) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_model) is { } name && ModelArguments.Find(name) is null or { Name.Address: null })
                result.AddError($"--model: '{name}' is no model behind an endpoint; write openai:MODEL@URL, ollama:MODEL, or a name in deliberate.yaml.");
        });
    }

    /// <summary>Asks the model.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="terminal">Where a model that is out of reach is told of.</param>
    /// <param name="temperature">The temperature of the calls.</param>
    /// <param name="work">The work, with the client and how to ask it.</param>
    /// <returns>The work's exit code.</returns>
    public async Task<int> UseAsync(ParseResult parse, Interaction.Terminal terminal, double temperature, Func<IChatClient, AskOptions, Task<int>> work)
    {
        var settings = ModelArguments.Find(parse.GetRequiredValue(_model))!;
        using var client = _open is null ? EndpointClient.Open(settings, _use, _use, parse.GetValue(_responses)) : _open(settings);
        try
        {
            return await work(client, new(temperature, Seed: parse.GetValue(_seed), ThinkingOpened: settings.ThinkingOpened ?? false));
        }
        catch (Exception problem) when (problem is InvalidOperationException or EndpointException)
        {
            // Not one call went through, or none will.
            terminal.Error($"{settings.Name}: {problem.Message}");
            return ExitCodes.Failure;
        }
    }
}
