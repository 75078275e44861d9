using System.Text;
using Deliberate.Generation;
using Deliberate.Policies;

namespace Deliberate.Serving;

/// <summary>
/// Takes out of an answer, as it comes, the sentences by which it shows the specification: its words, clause codes, or words that point at it. A sentence
/// is handed on when it is whole and, together with what went before it, shows nothing. Not thread-safe.
/// </summary>
internal sealed class SpecStripper(SpecLeak leak, Spec spec)
{
    // Longer than any sign of a leak: a run of words, or a phrase.
    private const int Tail = 400;

    private readonly StringBuilder _pending = new(), _shown = new();

    /// <summary>How many sentences were taken out.</summary>
    public int Stripped { get; private set; }

    /// <summary>Takes the next piece and returns what may be shown.</summary>
    public string Add(string text)
    {
        _pending.Append(text);
        var all = _pending.ToString();
        var (start, shown) = (0, new StringBuilder());
        for (var at = 0; at < all.Length; at++)
        {
            if (!Ends(all, at)) continue;
            shown.Append(Checked(all[start..(at + 1)]));
            start = at + 1;
        }

        _pending.Remove(0, start);
        return shown.ToString();
    }

    /// <summary>Ends the answer and returns what may be shown of the rest.</summary>
    public string Finish()
    {
        var rest = _pending.ToString();
        _pending.Clear();
        return Checked(rest);
    }

    // The white space after a sentence belongs to it; a stop without white space after it may be within a number or a name.
    private static bool Ends(string text, int at) => text[at] == '\n' || (at > 0 && char.IsWhiteSpace(text[at]) && text[at - 1] is '.' or '!' or '?' or '"' or '”' or ')');

    private string Checked(string sentence)
    {
        if (string.IsNullOrWhiteSpace(sentence)) return sentence;
        if (leak.InAnswer(_shown + sentence, spec) is not null)
        {
            Stripped++;
            return "";
        }

        _shown.Append(sentence);
        if (_shown.Length > 2 * Tail) _shown.Remove(0, _shown.Length - Tail);
        return sentence;
    }
}
