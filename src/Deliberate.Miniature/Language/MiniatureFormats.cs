using Deliberate.Conversations;
using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;
using Microsoft.Extensions.AI;

namespace Deliberate.Miniature.Language;

/// <summary>
/// Asks the miniature for an answer under a policy: the specification as the system message, then the conversation. The
/// instruction to cite and discuss the policy, which the paper's prompt spells out, is what the base model was pretrained to do.
/// </summary>
/// <remarks>Immutable.</remarks>
public sealed class MiniatureGenerationFormat : IGenerationFormat
{
    /// <inheritdoc/>
    public string Version => "miniature-generation-1";

    /// <inheritdoc/>
    public IReadOnlyList<ChatMessage> Write(Conversation conversation, Spec spec)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        ArgumentNullException.ThrowIfNull(spec);
        return [new(ChatRole.System, spec.Text), .. conversation.ToMessages()];
    }
}

/// <summary>
/// Asks the miniature for a verdict and reads it: "good", or "bad" with a fault. Anything else is unscored. Untrusted text cannot
/// end its quotation, since its quotation marks are replaced.
/// </summary>
/// <remarks>Immutable.</remarks>
public sealed class MiniatureJudgeFormat : IJudgeFormat
{
    private static readonly HashSet<string> Faults = [.. Enum.GetValues<Fault>().Where(fault => fault != Fault.None).Select(Judgements.Verdict)];

    /// <inheritdoc/>
    public string Version => "miniature-judge-1";

    /// <inheritdoc/>
    public IReadOnlyList<ChatMessage> Write(FullView view, Spec spec)
    {
        ArgumentNullException.ThrowIfNull(view);
        return Ask(view.Conversation, view.Thinking, view.Answer, spec);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ChatMessage> Write(AnswerView view, Spec spec)
    {
        ArgumentNullException.ThrowIfNull(view);
        return Ask(view.Conversation, null, view.Answer, spec);
    }

    /// <inheritdoc/>
    public Verdict Read(Completion response)
    {
        ArgumentNullException.ThrowIfNull(response);
        var verdict = response.Answer.Trim();
        return verdict == Judgements.Verdict(Fault.None) ? new Verdict(1, "good")
            : Faults.Contains(verdict) ? new Verdict(0, verdict, verdict["bad, ".Length..])
            : Verdict.Unscored(VerdictKinds.Unparsable, "no verdict in the response");
    }

    private static ChatMessage[] Ask(Conversation conversation, string? thought, string answer, Spec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return [new(ChatRole.System, spec.Text), new(ChatRole.User, Judgements.Ask(conversation.Request, thought, answer))];
    }
}
