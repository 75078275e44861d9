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
}
