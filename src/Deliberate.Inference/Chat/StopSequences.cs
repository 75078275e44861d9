using Deliberate.Conversations;
using Microsoft.Extensions.AI;

namespace Deliberate.Inference.Chat;

/// <summary>
/// Cuts an answer that comes piece by piece before the first of some stop sequences, and holds back what may be the beginning of one. Thoughts pass: the caller
/// does not see them, and would lose the answer to a sequence in them.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class StopSequences(IReadOnlyList<string> sequences)
{
    private string _held = "";

    /// <summary>The sequences of a call, without empty ones.</summary>
    public static IReadOnlyList<string> Of(ChatOptions? options) => options?.StopSequences is { Count: > 0 } given ? [.. given.Where(sequence => sequence.Length > 0)] : [];

    /// <summary>Whether one came; nothing follows it.</summary>
    public bool Found { get; private set; }

    /// <summary>What of these parts is certain to stand before a stop sequence.</summary>
    public IEnumerable<SplitText> Add(IEnumerable<SplitText> parts)
    {
        foreach (var part in parts)
        {
            if (Found) yield break;
            var text = part.IsThought ? part.Text : Add(part.Text);
            if (text.Length > 0) yield return part with { Text = text };
        }
    }

    /// <summary>As above, of the answer alone.</summary>
    public string Add(string answer)
    {
        if (Found) return "";
        if (sequences.Count == 0) return answer;
        var text = _held + answer;
        _held = "";
        var cut = sequences.Select(sequence => text.IndexOf(sequence, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();
        Found = cut >= 0;
        if (Found) return text[..cut];
        var ready = text.Length;
        foreach (var sequence in sequences)
            for (var length = Math.Min(sequence.Length - 1, text.Length); length > text.Length - ready; length--)
                if (text.EndsWith(sequence[..length], StringComparison.Ordinal)) ready = text.Length - length;
        _held = text[ready..];
        return text[..ready];
    }

    /// <summary>What was held back, where the answer ends without a stop sequence.</summary>
    public IEnumerable<SplitText> Finish() => !Found && _held.Length > 0 ? [new(false, _held)] : [];
}
