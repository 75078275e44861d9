using Deliberate.Auditing;
using Deliberate.Policies;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Serving;

/// <summary>Adds the clients of this room to a pipeline. The first that is added is the outermost: hide thoughts, then audit, then serve under a policy.</summary>
public static class ServingChatClientBuilderExtensions
{
    /// <summary>Keeps thoughts from callers; see <see cref="HiddenThinkingChatClient"/>.</summary>
    public static ChatClientBuilder UseHiddenThinking(this ChatClientBuilder builder, HiddenThinkingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use(inner => new HiddenThinkingChatClient(inner, options));
    }

    /// <summary>Writes every exchange to a log; see <see cref="AuditingChatClient"/>.</summary>
    /// <param name="builder">The pipeline.</param>
    /// <param name="model">What is said of the model.</param>
    /// <param name="log">The log; null: the one among the services.</param>
    /// <param name="thinking">How the model marks its thoughts.</param>
    public static ChatClientBuilder UseAudit(this ChatClientBuilder builder, AuditedModel model, AuditLog? log = null, HiddenThinkingOptions? thinking = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use((inner, services) => new AuditingChatClient(inner, log ?? services.GetRequiredService<AuditLog>(), model, thinking, services.GetService<TimeProvider>()));
    }

    /// <summary>Puts a policy into the context of a model that was not trained on it; see <see cref="PolicyChatClient"/>.</summary>
    /// <exception cref="PolicyException">When the pipeline is built: there is no such category, or a specification exceeds the budget.</exception>
    public static ChatClientBuilder UsePolicy(this ChatClientBuilder builder, Policy policy, PolicyServingOptions? options = null, HiddenThinkingOptions? thinking = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use(inner => new PolicyChatClient(inner, policy, options, thinking));
    }

    /// <summary>Puts a specification that was made before into the context; see <see cref="PolicyChatClient"/>.</summary>
    public static ChatClientBuilder UsePolicy(this ChatClientBuilder builder, Spec spec, PolicyServingOptions? options = null, HiddenThinkingOptions? thinking = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use(inner => new PolicyChatClient(inner, spec, options, thinking));
    }
}
