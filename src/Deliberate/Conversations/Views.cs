namespace Deliberate.Conversations;

/// <summary>All that a model did: what the judge of training data sees, the thought included (paper, section 2.3.2).</summary>
/// <param name="Conversation">What was asked.</param>
/// <param name="Thinking">The chain of thought.</param>
/// <param name="Answer">The answer.</param>
public sealed record FullView(Conversation Conversation, string Thinking, string Answer)
{
    /// <summary>The view of a completion.</summary>
    public static FullView Of(Conversation conversation, Completion completion)
    {
        ArgumentNullException.ThrowIfNull(completion);
        return new(conversation, completion.Thinking, completion.Answer);
    }
}

/// <summary>
/// What the reward of reinforcement learning sees: the conversation and the answer. It has no member for the thought, so that no
/// optimisation pressure can reach the thought through it (paper, section 2.4).
/// </summary>
public sealed record AnswerView
{
    private AnswerView(Conversation conversation, string answer) => (Conversation, Answer) = (conversation, answer);

    /// <summary>What was asked; earlier answers of the assistant are without their thoughts.</summary>
    public Conversation Conversation { get; }

    /// <summary>The answer.</summary>
    public string Answer { get; }

    /// <summary>The view of a completion. Thoughts that stand tagged inside an answer are removed too.</summary>
    public static AnswerView Of(Conversation conversation, Completion completion)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        ArgumentNullException.ThrowIfNull(completion);
        var turns = conversation.Turns.Select(turn => turn.Role == Role.Assistant ? turn with { Text = CompletionReader.Read(turn.Text).Answer } : turn);
        return new(new([.. turns]), CompletionReader.Read(completion.Answer).Answer);
    }
}
