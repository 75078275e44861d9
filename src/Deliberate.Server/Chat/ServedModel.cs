using Deliberate.Auditing;
using Deliberate.Policies;
using Deliberate.Server.Hosting;
using Deliberate.Serving;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deliberate.Server.Chat;

/// <summary>A model to be served. Immutable.</summary>
/// <param name="Name">The name by which callers ask for it.</param>
/// <param name="Client">The model's own client, thread-safe; it stays the caller's.</param>
public sealed record ServedModelOptions(string Name, IChatClient Client)
{
    /// <summary>Names its parameters in the audit log; null: what the client says of itself.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>The policy that it serves, in which cited clauses are looked up; null: none.</summary>
    public Policy? Policy { get; init; }

    /// <summary>Whether it was trained on the policy. If not, the policy is put into its context and kept out of its answers.</summary>
    public bool Trained { get; init; } = true;

    /// <summary>With <see cref="Trained"/> false: the specification as this model reads it; null: made of the policy.</summary>
    public Spec? Spec { get; init; }

    /// <summary>With <see cref="Trained"/> false: which part of the policy is put into the context, and how.</summary>
    public PolicyServingOptions InContext { get; init; } = new();

    /// <summary>How its thoughts are told from its answers.</summary>
    public HiddenThinkingOptions Thinking { get; init; } = new();

    /// <summary>Whether its client takes the number of tokens of a thought (<c>thinking_budget</c> among the additional properties).</summary>
    public bool TakesBudget { get; init; }
}

/// <summary>A model that is served: its client with all that stands between it and callers.</summary>
internal sealed record ServedModel(string Name, IChatClient Client, bool TakesBudget)
{
    /// <summary>The source of its traces and metrics, which follow OpenTelemetry's gen_ai conventions and hold no content.</summary>
    public const string Telemetry = "Deliberate";

    public static ServedModel Create(ServedModelOptions options, IServiceProvider services)
    {
        var thinking = options.Thinking with { FailureKind = ModelFailures.KindOf };
        // Traces are taken outside of where thoughts are hidden.
        var builder = new ChatClientBuilder(options.Client)
            .UseOpenTelemetry(services.GetService<ILoggerFactory>(), Telemetry, telemetry => telemetry.EnableSensitiveData = false)
            .UseHiddenThinking(thinking);
        if (services.GetService<AuditLog>() is { } log) builder.UseAudit(new(options.Name, options.Fingerprint, options.Policy), log, thinking);
        if (!options.Trained && options.Spec is { } spec) builder.UsePolicy(spec, options.InContext, thinking);
        else if (!options.Trained && options.Policy is { } policy) builder.UsePolicy(policy, options.InContext, thinking);
        return new(options.Name, builder.Build(services), options.TakesBudget);
    }
}

/// <summary>The models of a server, by name.</summary>
internal sealed class ServedModels(ServerOptions options, IServiceProvider services)
{
    public IReadOnlyList<ServedModel> All { get; } = [.. options.Models.Select(model => ServedModel.Create(model, services))];

    /// <exception cref="ApiException">There is no such model.</exception>
    public ServedModel Find(string? name) =>
        (name is null && All.Count > 0 ? All[0] : All.FirstOrDefault(model => model.Name == name))
        ?? throw new ApiException(new(404, "invalid_request_error", "model_not_found", All.Count == 0 ? "This server serves no model." : $"There is no model of that name here; there are {string.Join(", ", All.Select(model => model.Name))}.", "model"));
}
