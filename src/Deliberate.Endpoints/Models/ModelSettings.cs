using System.Text.Json.Nodes;
using Deliberate.Endpoints.Chat;
using Deliberate.Endpoints.Flow;
using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Models;

/// <summary>A model as <c>deliberate.yaml</c> or an option names it, with how it is talked to and what it may cost. Immutable.</summary>
public sealed record ModelSettings
{
    /// <summary>The model's name.</summary>
    public required ModelName Name { get; init; }

    /// <summary>The interface that is used of an OpenAI-compatible server.</summary>
    public EndpointApi Api { get; init; }

    /// <summary>What kind of server answers; null leaves it to the address.</summary>
    public ServerKind? Server { get; init; }

    /// <summary>Name of the environment variable that holds the key; null looks in the usual ones.</summary>
    public string? KeyVariable { get; init; }

    /// <summary>How much the model thinks, in the server's own word; null sends nothing.</summary>
    public string? ReasoningEffort { get; init; }

    /// <summary>Whether the chat template lets the model think; null sends nothing.</summary>
    public bool? EnableThinking { get; init; }

    /// <summary>Whether the prompt ends inside the thought; null when that is not known.</summary>
    public bool? ThinkingOpened { get; init; }

    /// <summary>In which words the model is asked to answer and to judge: "paper", "safeguard" (as a judge only) or "miniature"; null leaves it to the name.</summary>
    public string? Format { get; init; }

    /// <summary>Fields to add to the body of every request; null adds none.</summary>
    public JsonObject? ExtraBody { get; init; }

    /// <summary>Limits, repeats, prices and budget.</summary>
    public FlowControlOptions Flow { get; init; } = new();

    /// <summary>Makes a client of a model behind an endpoint, with its limits.</summary>
    /// <param name="environment">Gives the value of an environment variable; null takes the process's own.</param>
    /// <param name="http">The HTTP client to use, which stays the caller's; null makes one.</param>
    /// <exception cref="InvalidOperationException">The model is not behind an endpoint.</exception>
    /// <exception cref="ModelSettingsException">A named key is not set.</exception>
    public IChatClient CreateClient(Func<string, string?>? environment = null, HttpClient? http = null)
    {
        if (Name.Address is not { } address || Name.Model is not { } model) throw new InvalidOperationException($"{Name} is not behind an endpoint.");
        var endpoint = new ChatEndpoint(new()
        {
            Address = address,
            Model = model,
            Api = Name.Kind == ModelKind.Ollama ? EndpointApi.Ollama : Api,
            Server = Server,
            // An Ollama server has no keys, and no business with one that is meant for another server.
            Key = Name.Kind == ModelKind.Ollama && KeyVariable is null ? null : ApiKey.FromEnvironment(address, KeyVariable, environment),
            ReasoningEffort = ReasoningEffort,
            EnableThinking = EnableThinking,
            ThinkingOpened = ThinkingOpened,
            ExtraBody = ExtraBody,
            TimeProvider = Flow.TimeProvider,
        }, http);
        return endpoint.AsBuilder().UseFlowControl(Flow).Build();
    }
}
