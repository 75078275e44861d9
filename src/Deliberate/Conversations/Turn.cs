namespace Deliberate.Conversations;

/// <summary>Who speaks in a conversation.</summary>
public enum Role
{
    /// <summary>Whoever set the conversation up.</summary>
    System,

    /// <summary>The user.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,

    /// <summary>A tool that the model called.</summary>
    Tool,
}

/// <summary>One message of a conversation.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Text">What is said; an assistant's turn holds its answer alone.</param>
public sealed record Turn(Role Role, string Text);
