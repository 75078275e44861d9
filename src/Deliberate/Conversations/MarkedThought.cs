using Microsoft.Extensions.AI;

namespace Deliberate.Conversations;

/// <summary>
/// Thoughts that a client told from the text of a stream by marks within it. That is never certain before the end: a thought may quote the mark that closes it, and
/// then what came after the first one was no answer yet. Whoever hides thoughts from others waits for the end of such a stream. Thread-safe.
/// </summary>
public static class MarkedThought
{
    private const string Property = "deliberate.marked";

    /// <summary>A piece of such a thought.</summary>
    public static TextReasoningContent Content(string text) => new(text) { AdditionalProperties = new() { [Property] = true } };

    /// <summary>Whether a piece of a thought was told from the text by its marks.</summary>
    public static bool Is(TextReasoningContent thought)
    {
        ArgumentNullException.ThrowIfNull(thought);
        return thought.AdditionalProperties?.ContainsKey(Property) == true;
    }
}
