using System.Text.RegularExpressions;

namespace Deliberate.Inference.Tokenization;

/// <summary>Trains byte-level BPE: joins the most frequent neighbours until the vocabulary is full (Sennrich et al. 2016).</summary>
public static class BpeTrainer
{
    internal const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    // Words with the space before them, digits one by one, runs of other signs, spaces.
    private const string Pattern = @" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+";

    /// <summary>Trains a tokenizer. Ties are broken by the pair's text, so that the same corpus gives the same tokenizer.</summary>
    /// <param name="corpus">Texts.</param>
    /// <param name="vocabularySize">Number of ids, all included.</param>
    /// <param name="specialTokens">Control tokens; they get the first ids.</param>
    /// <param name="wholeWords">Strings that are one token each wherever they occur.</param>
    /// <exception cref="ArgumentException">The vocabulary has no room for the bytes and the given tokens.</exception>
    public static BpeTokenizer Train(IEnumerable<string> corpus, int vocabularySize, IReadOnlyList<string> specialTokens, IReadOnlyList<string> wholeWords)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentNullException.ThrowIfNull(specialTokens);
        ArgumentNullException.ThrowIfNull(wholeWords);
        var room = vocabularySize - 256 - specialTokens.Count - wholeWords.Count;
        if (room < 0) throw new ArgumentException($"A vocabulary of {vocabularySize} has no room for 256 bytes, {specialTokens.Count} control tokens and {wholeWords.Count} whole words.", nameof(vocabularySize));

        List<AddedToken> added = [];
        foreach (var token in specialTokens) added.Add(new(added.Count, token, true));
        foreach (var token in wholeWords) added.Add(new(added.Count, token, false));
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var value = 0; value < 256; value++) vocabulary[ByteAlphabet.ToChar((byte)value).ToString()] = added.Count + value;

        var words = Count(corpus, wholeWords);
        var merges = new List<(string, string)>();
        while (merges.Count < room)
        {
            var pairs = new Dictionary<(string Left, string Right), long>();
            foreach (var (symbols, count) in words)
                for (var i = 0; i + 1 < symbols.Count; i++)
                {
                    var pair = (symbols[i], symbols[i + 1]);
                    pairs[pair] = pairs.GetValueOrDefault(pair) + count;
                }

            if (pairs.Count == 0) break;
            var ((left, right), _) = pairs.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key.Left, StringComparer.Ordinal).ThenBy(pair => pair.Key.Right, StringComparer.Ordinal).First();
            merges.Add((left, right));
            vocabulary.TryAdd(left + right, added.Count + vocabulary.Count);
            foreach (var (symbols, _) in words)
                for (var i = 0; i + 1 < symbols.Count; i++)
                    if (symbols[i] == left && symbols[i + 1] == right)
                    {
                        symbols[i] = left + right;
                        symbols.RemoveAt(i + 1);
                    }
        }

        return new BpeTokenizer(vocabulary, merges, added, Pattern);
    }

    private static List<(List<string> Symbols, long Count)> Count(IEnumerable<string> corpus, IReadOnlyList<string> wholeWords)
    {
        var split = new Regex(Pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant);
        var whole = wholeWords.Count == 0 ? null : new Regex(string.Join('|', wholeWords.OrderByDescending(word => word.Length).Select(Regex.Escape)), RegexOptions.Compiled);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var text in corpus)
            foreach (var piece in whole?.Split(text) ?? [text])
                foreach (Match match in split.Matches(piece)) counts[match.Value] = counts.GetValueOrDefault(match.Value) + 1;
        return [.. counts.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (ByteAlphabet.Encode(entry.Key).Select(letter => letter.ToString()).ToList(), entry.Value))];
    }
}
