namespace Deliberate.Conversations;

/// <summary>Something to be answered: a conversation that ends on a user turn (paper, section 2.1).</summary>
/// <param name="Id">Names it; unique within a set of prompts and stable between runs.</param>
/// <param name="Conversation">The conversation to be continued.</param>
/// <param name="Category">The policy category it falls under, or null when it is benign or unknown.</param>
/// <param name="Tags">Free facts about it, such as its suite or wrapper.</param>
public sealed record Prompt(string Id, Conversation Conversation, string? Category = null, IReadOnlyDictionary<string, string>? Tags = null)
{
    /// <summary>The conversation to be continued.</summary>
    /// <exception cref="ArgumentException">It does not end on a user turn.</exception>
    public Conversation Conversation { get; init; } = Conversation is { Turns: [.., { Role: Role.User }] }
        ? Conversation
        : throw new ArgumentException($"The conversation of prompt '{Id}' does not end on a user turn: drop the turns after the last question.", nameof(Conversation));
}
