using Deliberate.Conversations;
using Deliberate.Policies;

namespace Deliberate.Generation;

/// <summary>The first sieve: drops completions that are malformed, before any judge is paid for them (paper, section 2.3.2). Immutable.</summary>
/// <param name="requireThinking">Whether a completion must have a thought.</param>
/// <param name="leakWords">How many consecutive words of the specification in an answer count as a leak.</param>
public sealed class FormatFilter(bool requireThinking = true, int leakWords = 12)
{
    private readonly SpecLeak _leak = new(leakWords);

    /// <summary>Why the completion is rejected, in words that quote nothing of its thought; null when it is well-formed.</summary>
    /// <param name="completion">The completion.</param>
    /// <param name="spec">The specification that must not show in the answer, or null when there was none.</param>
    public string? Reason(Completion completion, Spec? spec = null)
    {
        ArgumentNullException.ThrowIfNull(completion);
        if (completion.Truncated) return "truncated";
        if (string.IsNullOrWhiteSpace(completion.Answer)) return "empty answer";
        if (requireThinking && string.IsNullOrWhiteSpace(completion.Thinking)) return "no thought";
        return spec is not null && _leak.InAnswer(completion.Answer, spec) is { } leak ? $"the answer {leak}" : null;
    }
}
