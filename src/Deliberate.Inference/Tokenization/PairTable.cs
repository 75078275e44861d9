using System.Numerics;

namespace Deliberate.Inference.Tokenization;

/// <summary>The merges of a vocabulary: a pair of ids to its rank and the id it becomes. Open addressing, since every symbol of every new word asks it.</summary>
/// <remarks>Thread-safe once it is built.</remarks>
internal sealed class PairTable
{
    private const ulong Empty = ulong.MaxValue, Mix = 0x9E3779B97F4A7C15;
    private readonly ulong[] _keys;
    private readonly (int Rank, int Merged)[] _values;
    private readonly int _shift;

    /// <param name="merges">In the order of their ranks; of a pair that stands twice the later counts.</param>
    public PairTable(IReadOnlyList<(int Left, int Right, int Rank, int Merged)> merges)
    {
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, merges.Count * 2));
        _shift = 64 - BitOperations.Log2((uint)size);
        _keys = new ulong[size];
        _values = new (int, int)[size];
        Array.Fill(_keys, Empty);
        foreach (var (left, right, rank, merged) in merges)
        {
            var at = Slot(Key(left, right));
            _keys[at] = Key(left, right);
            _values[at] = (rank, merged);
        }
    }

    public bool TryGet(int left, int right, out int rank, out int merged)
    {
        var key = Key(left, right);
        var at = Slot(key);
        (rank, merged) = _values[at];
        return _keys[at] == key;
    }

    private static ulong Key(int left, int right) => (ulong)(uint)left << 32 | (uint)right;

    private int Slot(ulong key)
    {
        var at = (int)((key * Mix) >> _shift);
        while (_keys[at] != key && _keys[at] != Empty) at = at + 1 & _keys.Length - 1;
        return at;
    }
}
