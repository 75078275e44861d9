using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;

namespace Deliberate.Inference.Tokenization;

/// <summary>
/// Byte-level byte-pair encoding: any text becomes tokens and the tokens become the same text again. Reads and writes
/// Hugging Face's <c>tokenizer.json</c> through <see cref="TokenizerFile"/>.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public sealed class BpeTokenizer
{
    private const int CacheLimit = 100_000, MaxVocabulary = 10_000_000;
    private const int LongWord = 64; // symbols
    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Merged)> _merges = [];
    private readonly string[] _texts;
    private readonly AddedToken?[] _addedById;
    private readonly Dictionary<string, AddedToken> _added;
    private readonly int[] _addedLengths;
    private readonly bool[] _addedStarts = new bool[char.MaxValue + 1];
    private readonly Regex _split;
    private readonly ConcurrentDictionary<string, int[]> _cache = new();
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cached;

    internal BpeTokenizer(Dictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges, IReadOnlyList<AddedToken> added, string splitPattern)
    {
        _vocabulary = vocabulary;
        Merges = merges;
        Added = added;
        SplitPattern = splitPattern;
        _split = new Regex(splitPattern, RegexOptions.Compiled | RegexOptions.CultureInvariant);
        foreach (var (text, id) in vocabulary)
            if (id is < 0 or >= MaxVocabulary) throw new InvalidDataException($"model.vocab gives '{text}' the id {id}; ids are 0 to {MaxVocabulary - 1}.");
        foreach (var token in added)
        {
            if (token.Id is < 0 or >= MaxVocabulary) throw new InvalidDataException($"added_tokens gives '{token.Text}' the id {token.Id}; ids are 0 to {MaxVocabulary - 1}.");
            if (token.Text.Length == 0) throw new InvalidDataException($"added_tokens holds an empty text (id {token.Id}).");
        }

        for (var value = 0; value < 256; value++)
            if (!vocabulary.ContainsKey(ByteAlphabet.ToChar((byte)value).ToString())) throw new InvalidDataException($"model.vocab has no token for the byte {value}.");
        VocabSize = Math.Max(vocabulary.Values.DefaultIfEmpty(-1).Max(), added.Select(token => token.Id).DefaultIfEmpty(-1).Max()) + 1;
        _texts = new string[VocabSize];
        foreach (var (text, id) in vocabulary) _texts[id] = text;
        _addedById = new AddedToken?[VocabSize];
        _added = new(StringComparer.Ordinal);
        foreach (var token in added)
        {
            _addedById[token.Id] = token;
            _added[token.Text] = token;
            _addedStarts[token.Text[0]] = true;
        }

        _addedLengths = [.. added.Select(token => token.Text.Length).Distinct().OrderDescending()];
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            if (!vocabulary.TryGetValue(left, out var leftId) || !vocabulary.TryGetValue(right, out var rightId) || !vocabulary.TryGetValue(left + right, out var merged))
                throw new InvalidDataException($"model.merges[{rank}] joins '{left}' and '{right}', which the vocabulary does not hold together.");
            _merges.TryAdd((leftId, rightId), (rank, merged));
        }

        _cached = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Number of ids.</summary>
    public int VocabSize { get; }

    internal IReadOnlyList<(string Left, string Right)> Merges { get; }

    internal IReadOnlyDictionary<string, int> Vocabulary => _vocabulary;

    internal IReadOnlyList<AddedToken> Added { get; }

    internal string SplitPattern { get; }

    /// <summary>Reads a <c>tokenizer.json</c>.</summary>
    /// <exception cref="InvalidDataException">The file is malformed or asks for a kind of tokenizer that this is not.</exception>
    public static BpeTokenizer Load(string path) => TokenizerFile.Read(path);

    /// <summary>Writes a <c>tokenizer.json</c>, atomically.</summary>
    public void Save(string path) => TokenizerFile.Write(path, this);

    /// <summary>The same tokenizer with some of its added tokens under other texts; ids stay.</summary>
    /// <param name="names">Present text to new text.</param>
    /// <exception cref="ArgumentException">A present text is no added token, is a control token, or a new text is one already.</exception>
    public BpeTokenizer Rename(IReadOnlyDictionary<string, string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.Count == 0) return this;
        foreach (var (present, name) in names)
        {
            if (!_added.TryGetValue(present, out var token) || token.Special) throw new ArgumentException($"'{present}' is no added token that can be renamed.", nameof(names));
            if (_added.ContainsKey(name) && !names.ContainsKey(name)) throw new ArgumentException($"'{name}' is a token already.", nameof(names));
        }

        if (names.Values.Distinct(StringComparer.Ordinal).Count() < names.Count) throw new ArgumentException("Two tokens cannot have the same text.", nameof(names));
        return new(_vocabulary, Merges, [.. Added.Select(token => names.TryGetValue(token.Text, out var name) ? token with { Text = name } : token)], SplitPattern);
    }

    /// <summary>The id of a token by its text: an added token, or a vocabulary entry in the byte alphabet.</summary>
    /// <exception cref="KeyNotFoundException">There is no such token.</exception>
    public int TokenId(string token) => _added.TryGetValue(token, out var added) ? added.Id
        : _vocabulary.TryGetValue(token, out var id) ? id
        : throw new KeyNotFoundException($"The vocabulary has no token '{token}'.");

    /// <summary>Encodes text. Control tokens written out in the text stay text unless <paramref name="allowSpecial"/>.</summary>
    public int[] Encode(string text, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var tokens = new List<int>(text.Length / 3 + 4);
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (!_addedStarts[text[i]] || Match(text.AsSpan(i), allowSpecial) is not { } token) continue;
            EncodePlain(text.AsSpan(start, i - start), tokens);
            tokens.Add(token.Id);
            i += token.Text.Length - 1;
            start = i + 1;
        }

        EncodePlain(text.AsSpan(start), tokens);
        return [.. tokens];
    }

    /// <summary>Decodes tokens; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> tokens, bool skipSpecial = true)
    {
        var bytes = new List<byte>(tokens.Length * 4);
        foreach (var token in tokens) AppendBytes(token, skipSpecial, bytes);
        return Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes));
    }

    /// <summary>Whether this id is a control token.</summary>
    public bool IsSpecial(int token) => _addedById[token] is { Special: true };

    /// <summary>Starts a decoder for tokens that arrive one by one.</summary>
    public StreamingDecoder StartDecoding(bool skipSpecial = true)
    {
        var (utf8, bytes) = (Encoding.UTF8.GetDecoder(), new List<byte>());
        return new(token => Take(token), () => Take(null));

        string Take(int? token)
        {
            bytes.Clear();
            if (token is { } id) AppendBytes(id, skipSpecial, bytes);
            var chars = new char[bytes.Count + 4];
            return new(chars, 0, utf8.GetChars(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes), chars, flush: token is null));
        }
    }

    /// <summary>This tokenizer where a <see cref="Tokenizer"/> is asked for.</summary>
    public Tokenizer AsTokenizer() => new Adapter(this);

    private void AppendBytes(int token, bool skipSpecial, List<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, VocabSize);
        if (_addedById[token] is { } added)
        {
            if (!added.Special || !skipSpecial) bytes.AddRange(Encoding.UTF8.GetBytes(added.Text));
            return;
        }

        foreach (var letter in _texts[token] ?? "")
            if (ByteAlphabet.TryToByte(letter, out var value)) bytes.Add(value);
    }

    private AddedToken? Match(ReadOnlySpan<char> text, bool allowSpecial)
    {
        var lookup = _added.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var length in _addedLengths)
            if (length <= text.Length && lookup.TryGetValue(text[..length], out var token) && (allowSpecial || !token.Special)) return token;
        return null;
    }

    private void EncodePlain(ReadOnlySpan<char> text, List<int> tokens)
    {
        var end = 0;
        foreach (var match in _split.EnumerateMatches(text))
        {
            // What lies between two matches is a piece of its own.
            if (match.Index > end) tokens.AddRange(EncodeWord(text[end..match.Index]));
            if (match.Length > 0) tokens.AddRange(EncodeWord(text.Slice(match.Index, match.Length)));
            end = match.Index + match.Length;
        }

        if (end < text.Length) tokens.AddRange(EncodeWord(text[end..]));
    }

    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        if (_cached.TryGetValue(word, out var known)) return known;
        var symbols = new List<int>();
        foreach (var letter in ByteAlphabet.Encode(word)) symbols.Add(_vocabulary[letter.ToString()]);
        if (symbols.Count > LongWord) MergeLong(symbols);
        else MergeShort(symbols);
        int[] ids = [.. symbols];
        // Untrusted text could fill the cache without end, so it stops growing; common words are in it by then.
        if (word.Length <= LongWord && _cache.Count < CacheLimit) _cached.TryAdd(word, ids);
        return ids;
    }

    // Joins the pair of the lowest rank, the leftmost of equals, until no pair is left.
    private void MergeShort(List<int> symbols)
    {
        while (symbols.Count > 1)
        {
            var (bestRank, bestAt, bestMerged) = (int.MaxValue, -1, -1);
            for (var i = 0; i + 1 < symbols.Count; i++)
                if (_merges.TryGetValue((symbols[i], symbols[i + 1]), out var merge) && merge.Rank < bestRank)
                    (bestRank, bestAt, bestMerged) = (merge.Rank, i, merge.Merged);
            if (bestAt < 0) break;
            symbols[bestAt] = bestMerged;
            symbols.RemoveAt(bestAt + 1);
        }
    }

    // The same in n log n time: anybody can type a word of a million letters. Pairs wait in a queue and are looked at again
    // when they come out, since their symbols may have been joined with others by then.
    private void MergeLong(List<int> symbols)
    {
        var next = Enumerable.Range(1, symbols.Count).ToArray();
        var previous = Enumerable.Range(-1, symbols.Count).ToArray();
        var queue = new PriorityQueue<(int At, int Left, int Right), (int Rank, int At)>();
        for (var i = 0; i + 1 < symbols.Count; i++) Offer(i);
        while (queue.TryDequeue(out var pair, out _))
        {
            var right = symbols[pair.At] == pair.Left ? next[pair.At] : symbols.Count;
            if (right >= symbols.Count || symbols[right] != pair.Right) continue;
            symbols[pair.At] = _merges[(pair.Left, pair.Right)].Merged;
            symbols[right] = -1;
            next[pair.At] = next[right];
            if (next[right] < symbols.Count) previous[next[right]] = pair.At;
            if (previous[pair.At] >= 0) Offer(previous[pair.At]);
            Offer(pair.At);
        }

        symbols.RemoveAll(symbol => symbol < 0);

        void Offer(int at)
        {
            if (next[at] < symbols.Count && _merges.TryGetValue((symbols[at], symbols[next[at]]), out var merge))
                queue.Enqueue((at, symbols[at], symbols[next[at]]), (merge.Rank, at));
        }
    }

    private sealed class Adapter(BpeTokenizer inner) : Tokenizer
    {
        public override int VocabSize => inner.VocabSize;

        public override IReadOnlyList<AddedToken> Added => inner.Added;

        public override int? FindToken(string token) => inner._added.TryGetValue(token, out var added) ? added.Id : inner._vocabulary.TryGetValue(token, out var id) ? id : null;

        // There is no post-processor.
        public override int[] Encode(string text, bool special = false, bool allowSpecial = true) => inner.Encode(text, allowSpecial);

        public override string Decode(ReadOnlySpan<int> ids, bool skipSpecial = false) => inner.Decode(ids, skipSpecial);

        public override StreamingDecoder StartDecoding(bool skipSpecial = false) => inner.StartDecoding(skipSpecial);
    }
}
