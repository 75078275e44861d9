using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace Deliberate.Inference.Tokenization;

/// <summary>Options of a BPE model, as <c>tokenizer.json</c> names them.</summary>
internal sealed record BpeOptions
{
    public string? UnknownToken { get; init; }

    public string Prefix { get; init; } = "";

    public string Suffix { get; init; } = "";

    public bool FuseUnknown { get; init; }

    public bool ByteFallback { get; init; }

    public bool IgnoreMerges { get; init; }

    /// <summary>Whether words come as text and are turned into the byte alphabet here.</summary>
    public bool ByteLevel { get; init; }
}

/// <summary>Byte-pair encoding of one word (Sennrich et al. 2016): joins the pair of the lowest rank, the leftmost of equals, until none is left.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class BpeModel
{
    private const int CacheLimit = 100_000, LongWord = 64;
    private readonly BpeOptions _options;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _vocabulary;
    private readonly IReadOnlySet<int> _control;
    private readonly int? _unknown;
    private readonly int[]? _bytes, _fallback;
    private readonly Words _all, _plain;

    /// <param name="vocabulary">Token to id.</param>
    /// <param name="merges">By rank.</param>
    /// <param name="options">Options.</param>
    /// <param name="control">Ids that text from outside must not become.</param>
    /// <exception cref="InvalidDataException">A merge or the unknown token is not in the vocabulary.</exception>
    public BpeModel(Dictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges, BpeOptions options, IReadOnlySet<int> control)
    {
        (_options, _control, _vocabulary) = (options, control, vocabulary.GetAlternateLookup<ReadOnlySpan<char>>());
        _unknown = options.UnknownToken is null ? null : vocabulary.TryGetValue(options.UnknownToken, out var unknown) ? unknown : throw new InvalidDataException($"model.unk_token '{options.UnknownToken}' is not in model.vocab.");
        if (options.ByteFallback) _fallback = Lookup(value => $"<0x{value:X2}>");
        if (options.ByteLevel && options.Prefix.Length + options.Suffix.Length == 0 && Lookup(value => ByteAlphabet.ToChar(value).ToString()) is var bytes && !bytes.Contains(-1)) _bytes = bytes;

        var ids = new (int Left, int Right, int Rank, int Merged)[merges.Count];
        for (var rank = 0; rank < ids.Length; rank++)
        {
            var (left, right) = merges[rank];
            if (right.Length < options.Prefix.Length || !vocabulary.TryGetValue(left, out var leftId) || !vocabulary.TryGetValue(right, out var rightId) || !vocabulary.TryGetValue(left + right[options.Prefix.Length..], out var merged))
                throw new InvalidDataException($"model.merges[{rank}] joins '{left}' and '{right}', which the vocabulary does not hold together.");
            ids[rank] = (leftId, rightId, rank, merged);
        }

        _all = _plain = new(new(ids));
        if (control.Count == 0) return;
        var harmless = ids.Where(merge => !control.Contains(merge.Merged)).ToArray();
        _plain = new(harmless.Length == ids.Length ? _all.Merges : new(harmless));

        int[] Lookup(Func<byte, string> name) => [.. Enumerable.Range(0, 256).Select(value => vocabulary.GetValueOrDefault(name((byte)value), -1))];
    }

    /// <summary>Adds the ids of a word.</summary>
    /// <param name="word">Well-formed UTF-16, not empty.</param>
    /// <param name="allowControl">Whether the word may become a control token.</param>
    /// <param name="ids">Receives them.</param>
    public void Encode(ReadOnlySpan<char> word, bool allowControl, List<int> ids)
    {
        var words = allowControl ? _all : _plain;
        if (words.Cached.TryGetValue(word, out var known))
        {
            ids.AddRange(known.AsSpan());
            return;
        }

        var start = ids.Count;
        if (_options.IgnoreMerges && Whole(word) is { } whole && (allowControl || !_control.Contains(whole))) ids.Add(whole);
        else
        {
            if (_bytes is null) AddSymbols(_options.ByteLevel ? ByteAlphabet.Encode(word) : word, allowControl, ids);
            else AddBytes(word, ids);
            var symbols = CollectionsMarshal.AsSpan(ids)[start..];
            var count = symbols.Length > LongWord ? MergeLong(symbols, words.Merges) : MergeShort(symbols, words.Merges);
            CollectionsMarshal.SetCount(ids, start + count);
        }

        // Untrusted text could fill the cache without end, so it stops growing; common words are in it by then.
        if (word.Length <= LongWord && words.Cache.Count < CacheLimit) words.Cached.TryAdd(word, CollectionsMarshal.AsSpan(ids)[start..].ToArray());
    }

    private int? Whole(ReadOnlySpan<char> word) => _vocabulary.TryGetValue(_options.ByteLevel ? ByteAlphabet.Encode(word) : word, out var id) ? id : null;

    private void AddBytes(ReadOnlySpan<char> word, List<int> ids)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(word.Length));
        var count = Encoding.UTF8.GetBytes(word, bytes);
        foreach (var value in bytes.AsSpan(0, count)) ids.Add(_bytes![value]);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    // Characters to symbols; a character that is no symbol becomes its bytes, or is unknown, or nothing where there is no unknown token.
    private void AddSymbols(ReadOnlySpan<char> word, bool allowControl, List<int> ids)
    {
        var unknown = false;
        Span<byte> utf8 = stackalloc byte[4];
        for (var at = 0; at < word.Length;)
        {
            var width = char.IsHighSurrogate(word[at]) && at + 1 < word.Length ? 2 : 1;
            var letter = word.Slice(at, width);
            var (first, last) = (at == 0, at + width == word.Length);
            at += width;
            var symbol = (first || _options.Prefix.Length == 0) && (!last || _options.Suffix.Length == 0) ? letter : string.Concat(first ? "" : _options.Prefix, letter, last ? _options.Suffix : "");
            if (_vocabulary.TryGetValue(symbol, out var id) && (allowControl || !_control.Contains(id)))
            {
                AddUnknown(ref unknown);
                ids.Add(id);
                continue;
            }

            if (_fallback is not null && TryAddFallback(symbol, utf8, ids)) continue;
            if (_unknown is null || (unknown && _options.FuseUnknown)) continue;
            AddUnknown(ref unknown);
            unknown = true;
        }

        AddUnknown(ref unknown);

        void AddUnknown(ref bool waiting)
        {
            if (waiting) ids.Add(_unknown!.Value);
            waiting = false;
        }
    }

    private bool TryAddFallback(ReadOnlySpan<char> symbol, Span<byte> utf8, List<int> ids)
    {
        var bytes = symbol.Length <= 2 ? utf8[..Encoding.UTF8.GetBytes(symbol, utf8)] : Encoding.UTF8.GetBytes(symbol.ToString());
        foreach (var value in bytes)
            if (_fallback![value] < 0) return false;
        foreach (var value in bytes) ids.Add(_fallback![value]);
        return true;
    }

    private static int MergeShort(Span<int> symbols, PairTable merges)
    {
        Span<int> ranks = stackalloc int[LongWord], merged = stackalloc int[LongWord];
        var count = symbols.Length;
        for (var i = 0; i + 1 < count; i++) ranks[i] = merges.TryGet(symbols[i], symbols[i + 1], out var rank, out merged[i]) ? rank : int.MaxValue;
        while (count > 1)
        {
            var best = 0;
            for (var i = 1; i + 1 < count; i++)
                if (ranks[i] < ranks[best]) best = i;
            if (ranks[best] == int.MaxValue) break;
            symbols[best] = merged[best];
            symbols[(best + 2)..count].CopyTo(symbols[(best + 1)..]);
            if (best + 2 < count)
            {
                ranks[(best + 2)..(count - 1)].CopyTo(ranks[(best + 1)..]);
                merged[(best + 2)..(count - 1)].CopyTo(merged[(best + 1)..]);
            }

            count--;
            for (var i = Math.Max(0, best - 1); i <= best && i + 1 < count; i++) ranks[i] = merges.TryGet(symbols[i], symbols[i + 1], out var rank, out merged[i]) ? rank : int.MaxValue;
        }

        return count;
    }

    // The same in n log n time: anybody can type a word of a million letters. Pairs wait in a queue and are looked at again
    // when they come out, since their symbols may have been joined with others by then.
    private static int MergeLong(Span<int> symbols, PairTable merges)
    {
        var length = symbols.Length;
        int[] all = [.. symbols], next = [.. Enumerable.Range(1, length)], previous = [.. Enumerable.Range(-1, length)];
        var queue = new PriorityQueue<(int At, int Merged), long>(length);
        for (var i = 0; i + 1 < length; i++) Offer(i);
        while (queue.TryDequeue(out var pair, out _))
        {
            if (all[pair.At] < 0 || next[pair.At] >= length) continue;
            var right = next[pair.At];
            if (!merges.TryGet(all[pair.At], all[right], out _, out var merged) || merged != pair.Merged) continue;
            all[pair.At] = merged;
            all[right] = -1;
            next[pair.At] = next[right];
            if (next[right] < length) previous[next[right]] = pair.At;
            if (previous[pair.At] >= 0) Offer(previous[pair.At]);
            Offer(pair.At);
        }

        var count = 0;
        foreach (var symbol in all)
            if (symbol >= 0) symbols[count++] = symbol;
        return count;

        void Offer(int at)
        {
            if (next[at] < length && merges.TryGet(all[at], all[next[at]], out var rank, out var merged)) queue.Enqueue((at, merged), (long)rank << 32 | (uint)at);
        }
    }

    // Merges and the words they have been applied to.
    private sealed class Words
    {
        public Words(PairTable merges) => (Merges, Cached) = (merges, Cache.GetAlternateLookup<ReadOnlySpan<char>>());

        public PairTable Merges { get; }

        public ConcurrentDictionary<string, int[]> Cache { get; } = new();

        public ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> Cached { get; }
    }
}
