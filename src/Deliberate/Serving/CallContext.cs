using Microsoft.Extensions.AI;

namespace Deliberate.Serving;

/// <summary>
/// Who makes a call and what that caller may see. It travels in <see cref="ChatOptions.AdditionalProperties"/> from the caller to the clients of this room,
/// which take it out before the model is asked. Immutable.
/// </summary>
/// <param name="Caller">Names the caller in the audit log, such as a key's id; never the key itself. Null: unknown.</param>
/// <param name="ShowThinking">Whether the thought is handed to the caller. Whoever sets this has checked the right to it.</param>
/// <param name="Id">Names the exchange in the audit log; null makes a name.</param>
public sealed record CallContext(string? Caller = null, bool ShowThinking = false, string? Id = null)
{
    private const string Key = "deliberate.call";

    /// <summary>A copy of the options that carries this context.</summary>
    /// <param name="options">The call's options, or null.</param>
    public ChatOptions With(ChatOptions? options)
    {
        var copy = options?.Clone() ?? new();
        (copy.AdditionalProperties = copy.AdditionalProperties is { } old ? new(old) : [])[Key] = this;
        return copy;
    }

    /// <summary>The context that the options carry, or null.</summary>
    internal static CallContext? Of(ChatOptions? options) => options?.AdditionalProperties?.TryGetValue(Key, out var value) == true ? value as CallContext : null;

    /// <summary>The options without a context.</summary>
    internal static ChatOptions? Without(ChatOptions? options)
    {
        if (options?.AdditionalProperties?.ContainsKey(Key) != true) return options;
        var copy = options.Clone();
        copy.AdditionalProperties = new(options.AdditionalProperties);
        copy.AdditionalProperties.Remove(Key);
        return copy;
    }
}
