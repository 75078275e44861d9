using System.Runtime.InteropServices;

namespace Deliberate.Prompts;

/// <summary>
/// Finds texts that are almost one another: the Jaccard index of their runs of five characters, exact, among candidates that MinHash with banding
/// proposes (Broder, 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3). At the threshold it finds more than 99 of 100
/// pairs, above it practically all. No randomness: the same texts in the same order give the same pairs. Takes about a kilobyte and a half a text. Not thread-safe.
/// </summary>
internal sealed class NearDuplicates
{
    private const int RunLength = 5;
    private const int Hashes = 64;

    private static readonly (ulong Factor, ulong Term)[] Family = MakeFamily();

    private readonly double _threshold;
    private readonly int _rows;
    private readonly int _bands;
    private readonly Dictionary<ulong, int> _heads = [];
    private readonly List<int> _next = [];
    private readonly List<uint[]> _sets = [];

    /// <summary>An empty collection.</summary>
    /// <param name="threshold">The least Jaccard index that counts, from 0.4 to 1.</param>
    public NearDuplicates(double threshold)
    {
        if (threshold is not (>= 0.4 and <= 1)) throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "The threshold lies between 0.4 and 1.");
        _threshold = threshold;
        _rows = threshold >= 0.8 ? 4 : threshold >= 0.6 ? 3 : 2;
        _bands = Hashes / _rows;
    }

    /// <summary>The number of texts added.</summary>
    public int Count => _sets.Count;

    /// <summary>The earliest text in the same group that is almost this one, or null.</summary>
    /// <param name="text">A text in normal form.</param>
    /// <param name="group">Texts of different groups are never compared.</param>
    /// <param name="add">Whether to add the text when none is found; it then gets the next number, from 0.</param>
    public (int Number, double Similarity)? Find(string text, ulong group, bool add)
    {
        var set = Set(text);
        var keys = Keys(set, group);
        var candidates = new SortedSet<int>();
        for (var band = 0; band < _bands; band++)
            if (_heads.TryGetValue(keys[band], out var entry))
                for (; entry >= 0; entry = _next[entry]) candidates.Add(entry / _bands);
        foreach (var candidate in candidates)
            if (Jaccard(set, _sets[candidate]) is var similarity && similarity >= _threshold) return (candidate, similarity);
        if (!add) return null;
        for (var band = 0; band < _bands; band++)
        {
            ref var head = ref CollectionsMarshal.GetValueRefOrAddDefault(_heads, keys[band], out var known);
            _next.Add(known ? head : -1);
            head = _next.Count - 1;
        }

        _sets.Add(set);
        return null;
    }

    private static double Jaccard(uint[] a, uint[] b)
    {
        var (i, j, both) = (0, 0, 0);
        while (i < a.Length && j < b.Length)
        {
            if (a[i] == b[j]) (i, j, both) = (i + 1, j + 1, both + 1);
            else if (a[i] < b[j]) i++;
            else j++;
        }

        return (double)both / (a.Length + b.Length - both);
    }

    private static uint[] Set(string text)
    {
        var set = new HashSet<uint>();
        for (var at = 0; at == 0 || at + RunLength <= text.Length; at++)
        {
            var hash = 14695981039346656037;
            foreach (var letter in text.AsSpan(at, Math.Min(RunLength, text.Length - at))) hash = (hash ^ letter) * 1099511628211;
            set.Add((uint)(Mixed(hash) >> 32));
        }

        uint[] sorted = [.. set];
        Array.Sort(sorted);
        return sorted;
    }

    private ulong[] Keys(uint[] set, ulong group)
    {
        var keys = new ulong[_bands];
        for (var band = 0; band < _bands; band++)
        {
            var key = Mixed(group + (ulong)band);
            for (var row = 0; row < _rows; row++)
            {
                var (factor, term) = Family[(band * _rows) + row];
                var least = uint.MaxValue;
                foreach (var item in set) least = Math.Min(least, (uint)(((item * factor) + term) >> 32));
                key = Mixed(key ^ least);
            }

            keys[band] = key;
        }

        return keys;
    }

    private static (ulong Factor, ulong Term)[] MakeFamily()
    {
        var family = new (ulong, ulong)[Hashes];
        for (var i = 0; i < Hashes; i++) family[i] = (Mixed((2 * (ulong)i) + 1) | 1, Mixed((2 * (ulong)i) + 2));
        return family;
    }

    // The output step of SplitMix64.
    private static ulong Mixed(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
