using Deliberate.Conversations;

namespace Deliberate.Serving;

/// <summary>When the words of an answer are handed on in a stream.</summary>
public enum AnswerStreaming
{
    /// <summary>
    /// As they come, where the thought comes apart from the text (reasoning contents). Where a thought is marked by tags within the text the answer waits for
    /// the end: another closing tag may still follow and show that what looked like the answer was thought. So does it where the client has told them apart by the
    /// tags (<see cref="MarkedThought"/>).
    /// </summary>
    WhenCertain,

    /// <summary>As they come, and the first closing tag ends a thought. For models whose thoughts never hold a closing tag.</summary>
    AsTheyCome,

    /// <summary>At the end, in one piece. For models behind a server that tells thoughts from answers by the first closing tag.</summary>
    WhenWhole,
}

/// <summary>How thoughts are told from answers and kept back. Immutable.</summary>
public sealed record HiddenThinkingOptions
{
    /// <summary>
    /// How a reply's text begins. <see cref="ThoughtStart.Unknown"/> suits every model, but an answer without any thought is then streamed at its end only;
    /// <see cref="ThoughtStart.Answer"/> is for clients that always give the thought as reasoning content, <see cref="ThoughtStart.Thought"/> for prompts that end
    /// within the thought.
    /// </summary>
    public ThoughtStart Start { get; init; } = ThoughtStart.Unknown;

    /// <summary>When an answer's words are handed on.</summary>
    public AnswerStreaming Streaming { get; init; }

    /// <summary>
    /// Names the kind of a failure for <see cref="ModelFailedException.Kind"/>. It must not repeat the exception's message, which may quote the model. By default
    /// the name of the exception's type.
    /// </summary>
    public Func<Exception, string> FailureKind { get; init; } = static failure => failure.GetType().Name;
}
