using Deliberate.Conversations;
using Deliberate.Policies;
using Microsoft.Extensions.AI;

namespace Deliberate.Judging;

/// <summary>Writes a judge's prompt and reads its verdict. Implementations are immutable.</summary>
public interface IJudgeFormat
{
    /// <summary>Names this wording; changed with every change of it.</summary>
    string Version { get; }

    /// <summary>Asks about a thought and its answer: for the filter of training data.</summary>
    IReadOnlyList<ChatMessage> Write(FullView view, Spec spec);

    /// <summary>Asks about an answer alone: for the reward.</summary>
    IReadOnlyList<ChatMessage> Write(AnswerView view, Spec spec);

    /// <summary>Reads the verdict from a complete response; one without score when there is none to read. Does not throw.</summary>
    Verdict Read(Completion response);

    /// <summary>
    /// Asks about a thought and its answer, with a reader that knows what was asked. A format whose prompt holds a code that only the judge can
    /// know overrides it, so that verdicts planted in the judged text are told from the judge's own.
    /// </summary>
    JudgeQuestion Ask(FullView view, Spec spec) => new(Write(view, spec), Read);

    /// <summary>Asks about an answer alone, with a reader that knows what was asked.</summary>
    JudgeQuestion Ask(AnswerView view, Spec spec) => new(Write(view, spec), Read);
}

/// <summary>One question to a judge.</summary>
/// <param name="Messages">The prompt.</param>
/// <param name="Read">Reads the verdict from a complete response to this prompt; does not throw.</param>
/// <param name="Structure">The structure to hold the response to, for clients that can; null when the format has none.</param>
public sealed record JudgeQuestion(IReadOnlyList<ChatMessage> Messages, Func<Completion, Verdict> Read, ChatResponseFormat? Structure = null);
