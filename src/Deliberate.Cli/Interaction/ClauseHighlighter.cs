using Deliberate.Evaluation;

namespace Deliberate.Cli.Interaction;

/// <summary>
/// Cuts text that arrives in pieces into plain parts and clause codes in square brackets, such as [T3], however the pieces are cut.
/// </summary>
/// <remarks>One text, one thread.</remarks>
internal sealed class ClauseHighlighter
{
    // Longer than any citation; an opening bracket that is not closed by then opens none.
    private const int Longest = 32;

    private string _held = "";

    /// <summary>Takes in a piece and gives the parts that are certain by now.</summary>
    public IEnumerable<(string Text, bool IsCode)> Add(string piece)
    {
        _held += piece;
        while (_held.Length > 0)
        {
            var open = _held.IndexOf('[', StringComparison.Ordinal);
            if (open != 0)
            {
                var plain = open < 0 ? _held : _held[..open];
                _held = _held[plain.Length..];
                yield return (plain, false);
                continue;
            }

            var close = _held.IndexOf(']', StringComparison.Ordinal);
            if (close < 0 && _held.Length <= Longest) yield break;
            var part = close is < 0 or > Longest ? "[" : _held[..(close + 1)];
            var code = part.LastIndexOf('[') == 0 && ClauseCitations.Find(part).Count > 0;
            if (!code) part = "[";
            _held = _held[part.Length..];
            yield return (part, code);
        }
    }

    /// <summary>What was held back at the end of the text.</summary>
    public string Finish()
    {
        var rest = _held;
        _held = "";
        return rest;
    }
}
