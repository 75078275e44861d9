using Microsoft.Extensions.AI;

namespace Deliberate.Endpoints.Flow;

/// <summary>Puts limits into a chain of chat clients.</summary>
public static class FlowControlChatClientBuilderExtensions
{
    /// <summary>Limits, repeats and counts the calls to what is inside: see <see cref="FlowControlChatClient"/>.</summary>
    /// <param name="builder">The chain.</param>
    /// <param name="options">The limits; null takes the defaults.</param>
    public static ChatClientBuilder UseFlowControl(this ChatClientBuilder builder, FlowControlOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Use(inner => new FlowControlChatClient(inner, new FlowController(options ?? new()), owned: true));
    }

    /// <summary>Limits, repeats and counts the calls together with those of other clients that share the controller.</summary>
    /// <param name="builder">The chain.</param>
    /// <param name="controller">The limits, which stay the caller's.</param>
    public static ChatClientBuilder UseFlowControl(this ChatClientBuilder builder, FlowController controller)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(controller);
        return builder.Use(inner => new FlowControlChatClient(inner, controller));
    }
}
