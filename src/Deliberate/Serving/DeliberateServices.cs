using Deliberate.Auditing;
using Deliberate.Policies;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Serving;

/// <summary>What <see cref="DeliberateServices.AddDeliberate"/> serves, and how. Immutable.</summary>
public sealed record DeliberateOptions
{
    /// <summary>The policy that is served; null: none.</summary>
    public Policy? Policy { get; init; }

    /// <summary>Whether the model was trained on the policy. If not, the policy is put into its context and kept out of its answers.</summary>
    public bool Trained { get; init; }

    /// <summary>Which part of the policy is put into the context, and how.</summary>
    public PolicyServingOptions InContext { get; init; } = new();

    /// <summary>How thoughts are told from answers.</summary>
    public HiddenThinkingOptions Thinking { get; init; } = new();

    /// <summary>The folder of the audit log; null: exchanges are not kept.</summary>
    public string? AuditFolder { get; init; }

    /// <summary>Settings of the audit log.</summary>
    public AuditOptions Audit { get; init; } = new();

    /// <summary>The model's name in the audit log.</summary>
    public string Model { get; init; } = "model";

    /// <summary>Names the model's parameters in the audit log; null: what the client says of itself.</summary>
    public string? Fingerprint { get; init; }
}

/// <summary>Adds an aligned model to an application's services.</summary>
public static class DeliberateServices
{
    /// <summary>
    /// Adds an <see cref="IChatClient"/> whose thoughts are hidden, whose exchanges are audited, and which follows a policy; and, with a folder, its
    /// <see cref="AuditLog"/>. What is added to the builder that is returned sits between these and the model.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="model">Makes the model's own client, which must be thread-safe.</param>
    /// <param name="options">What is served, and how; null hides thoughts and does no more.</param>
    /// <exception cref="PolicyException">When the client is made: there is no such category, or a specification exceeds the budget.</exception>
    /// <exception cref="InvalidDataException">When the client is made: the audit log is broken.</exception>
    public static ChatClientBuilder AddDeliberate(this IServiceCollection services, Func<IServiceProvider, IChatClient> model, DeliberateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        options ??= new();
        if (options.AuditFolder is { } folder) services.AddSingleton(provider => AuditLog.Open(folder, options.Audit, provider.GetService<TimeProvider>()));
        var builder = services.AddChatClient(model).UseHiddenThinking(options.Thinking);
        if (options.AuditFolder is not null) builder.UseAudit(new(options.Model, options.Fingerprint, options.Policy), thinking: options.Thinking);
        if (options is { Policy: { } policy, Trained: false }) builder.UsePolicy(policy, options.InContext, options.Thinking);
        return builder;
    }
}
