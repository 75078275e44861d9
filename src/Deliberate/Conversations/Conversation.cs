using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Deliberate.Conversations;

/// <summary>The messages of a chat in order. Immutable; two are equal when their turns are.</summary>
/// <param name="Turns">The messages, oldest first.</param>
public sealed record Conversation(IReadOnlyList<Turn> Turns)
{
    /// <summary>The text of the last user turn, or an empty text when the user has said nothing.</summary>
    [JsonIgnore]
    public string Request => Turns.LastOrDefault(turn => turn.Role == Role.User)?.Text ?? "";

    /// <summary>A conversation of a single user turn.</summary>
    public static Conversation FromUser(string text) => new([new Turn(Role.User, text)]);

    /// <summary>
    /// Reads chat messages. Thoughts are left out, both reasoning contents and tagged text in assistant turns: an earlier turn's
    /// thinking is no part of a conversation.
    /// </summary>
    public static Conversation FromMessages(IEnumerable<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return new([.. messages.Select(message =>
        {
            var role = RoleOf(message.Role);
            return new Turn(role, role == Role.Assistant ? CompletionReader.Read(message.Text).Answer : message.Text);
        })]);
    }

    /// <summary>The conversation as chat messages.</summary>
    public IReadOnlyList<ChatMessage> ToMessages() => [.. Turns.Select(turn => new ChatMessage(RoleOf(turn.Role), turn.Text))];

    /// <inheritdoc/>
    public bool Equals(Conversation? other) => other is not null && Turns.SequenceEqual(other.Turns);

    /// <inheritdoc/>
    public override int GetHashCode() => Turns.Aggregate(17, HashCode.Combine);

    private static Role RoleOf(ChatRole role) =>
        role == ChatRole.System ? Role.System : role == ChatRole.Assistant ? Role.Assistant : role == ChatRole.Tool ? Role.Tool : Role.User;

    private static ChatRole RoleOf(Role role) => role switch
    {
        Role.System => ChatRole.System,
        Role.Assistant => ChatRole.Assistant,
        Role.Tool => ChatRole.Tool,
        _ => ChatRole.User,
    };
}
