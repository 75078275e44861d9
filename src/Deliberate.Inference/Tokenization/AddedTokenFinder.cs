using Deliberate.Inference.Tokenization.Patterns;

namespace Deliberate.Inference.Tokenization;

/// <summary>A part of a text: an added token, or what lies between (<paramref name="Id"/> -1).</summary>
internal readonly record struct TextPart(int Id, int Start, int End);

/// <summary>Finds added tokens in a text: from left to right, the longest of those that begin at a place.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class AddedTokenFinder
{
    private readonly Dictionary<(int Node, char Letter), int> _next = [];
    private readonly List<AddedToken?> _ends = [null];
    private readonly bool[] _starts = new bool[char.MaxValue + 1];

    /// <param name="tokens">Tokens with the text to look for; empty texts are left out.</param>
    public AddedTokenFinder(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        foreach (var (text, token) in tokens)
        {
            var node = 0;
            foreach (var letter in text)
            {
                if (!_next.TryGetValue((node, letter), out var next))
                {
                    _next[(node, letter)] = next = _ends.Count;
                    _ends.Add(null);
                }

                node = next;
            }

            if (node == 0) continue;
            _ends[node] = token;
            _starts[text[0]] = true;
        }
    }

    /// <summary>The parts of a text.</summary>
    /// <param name="text">Not empty.</param>
    /// <param name="allowControl">Whether control tokens are found.</param>
    /// <param name="parts">Receives them.</param>
    public void Find(string text, bool allowControl, List<TextPart> parts)
    {
        var done = 0;
        if (_ends.Count > 1)
            for (var at = 0; at < text.Length;)
            {
                if (!_starts[text[at]] || Longest(text, at) is not var (token, end))
                {
                    at++;
                    continue;
                }

                var start = at;
                at = end;
                if ((!allowControl && token.Control) || (token.SingleWord && (IsWordBefore(text, start) || IsWord(text, end)))) continue;
                if (token.LeftStrip)
                {
                    while (start > done && char.IsWhiteSpace(text[start - 1])) start--;
                    start = Math.Max(start, done);
                }

                if (token.RightStrip)
                    while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
                if (done < start) parts.Add(new(-1, done, start));
                parts.Add(new(token.Id, start, end));
                done = end;
            }

        if (done < text.Length) parts.Add(new(-1, done, text.Length));
    }

    private (AddedToken Token, int End)? Longest(string text, int at)
    {
        (AddedToken, int)? found = null;
        for (var node = 0; at < text.Length && _next.TryGetValue((node, text[at]), out node);)
        {
            at++;
            if (_ends[node] is { } token) found = (token, at);
        }

        return found;
    }

    private static bool IsWord(string text, int at) => at < text.Length && (NamedSets.Word.Contains(char.IsHighSurrogate(text[at]) ? char.ConvertToUtf32(text, at) : text[at]) || text[at] is '\u200C' or '\u200D');

    private static bool IsWordBefore(string text, int at) => at > 0 && IsWord(text, at > 1 && char.IsLowSurrogate(text[at - 1]) ? at - 2 : at - 1);
}
