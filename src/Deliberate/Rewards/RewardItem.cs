using Deliberate.Conversations;
using Deliberate.Generation;
using Deliberate.Policies;

namespace Deliberate.Rewards;

/// <summary>
/// Something to be rewarded. The thought ends here: its form is checked and it is dropped, so that nothing behind this type can see it.
/// Immutable.
/// </summary>
public sealed record RewardItem
{
    private RewardItem(string id, AnswerView view, Spec spec, string? formatReason) => (Id, View, Spec, FormatReason) = (id, view, spec, formatReason);

    /// <summary>Names it; distinct in a batch, and another one in every step, since the judge's seeds derive from it.</summary>
    public string Id { get; }

    /// <summary>The conversation and the answer.</summary>
    public AnswerView View { get; }

    /// <summary>The specification it is judged by.</summary>
    public Spec Spec { get; }

    /// <summary>Why the completion is malformed, or null.</summary>
    public string? FormatReason { get; }

    /// <summary>Makes an item of a completion.</summary>
    /// <param name="id">Names it.</param>
    /// <param name="conversation">What was asked.</param>
    /// <param name="completion">What the model wrote.</param>
    /// <param name="spec">The specification to judge by.</param>
    /// <param name="filter">Checks the completion's form.</param>
    public static RewardItem Of(string id, Conversation conversation, Completion completion, Spec spec, FormatFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return new(id, AnswerView.Of(conversation, completion), spec, filter.Reason(completion, spec));
    }
}
