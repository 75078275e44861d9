using System.Globalization;

namespace Deliberate.Inference.Tokenization.Patterns;

/// <summary>A set of Unicode code points, one bit each.</summary>
/// <remarks>Thread-safe once it is built.</remarks>
internal sealed class CodePointSet
{
    public const int Limit = 0x110000;
    private static readonly Lazy<byte[]> Categories = new(() => [.. Enumerable.Range(0, Limit).Select(point => (byte)CharUnicodeInfo.GetUnicodeCategory(point))]);
    private const int PageBits = 12, Words = (1 << PageBits) / 64;
    private static readonly ulong[] Full = [.. Enumerable.Repeat(ulong.MaxValue, Words)];

    // Pages that hold nothing are null, those that hold everything are shared: a pattern may have thousands of sets.
    private readonly ulong[]?[] _pages = new ulong[]?[Limit >> PageBits];

    /// <summary>All code points of some general categories.</summary>
    public static CodePointSet OfCategories(params ReadOnlySpan<UnicodeCategory> categories)
    {
        var wanted = new bool[32];
        foreach (var category in categories) wanted[(int)category] = true;
        var set = new CodePointSet();
        var table = Categories.Value;
        for (var point = 0; point < Limit; point++)
            if (wanted[table[point]]) set.Add(point);
        return set;
    }

    public bool Contains(int point) => _pages[point >> PageBits] is { } page && (page[point >> 6 & Words - 1] >> point & 1) != 0;

    public CodePointSet Add(int point)
    {
        Page(point >> PageBits)[point >> 6 & Words - 1] |= 1UL << point;
        return this;
    }

    public CodePointSet AddRange(int first, int last)
    {
        for (var point = first; point <= last; point++)
            if ((point & (1 << PageBits) - 1) == 0 && last - point >= (1 << PageBits) - 1)
            {
                _pages[point >> PageBits] = Full;
                point += (1 << PageBits) - 1;
            }
            else if (!Contains(point)) Add(point);
        return this;
    }

    public CodePointSet Union(CodePointSet other)
    {
        for (var i = 0; i < _pages.Length; i++)
        {
            if (other._pages[i] is not { } page || _pages[i] == Full) continue;
            if (page == Full) _pages[i] = Full;
            else
            {
                var own = Page(i);
                for (var word = 0; word < Words; word++) own[word] |= page[word];
            }
        }

        return this;
    }

    public CodePointSet Intersect(CodePointSet other)
    {
        for (var i = 0; i < _pages.Length; i++)
        {
            if (_pages[i] is null || other._pages[i] == Full) continue;
            if (other._pages[i] is not { } page) _pages[i] = null;
            else
            {
                var own = Page(i);
                for (var word = 0; word < Words; word++) own[word] &= page[word];
            }
        }

        return this;
    }

    /// <summary>A new set of all that is not in this one.</summary>
    public CodePointSet Complement()
    {
        var set = new CodePointSet();
        for (var i = 0; i < _pages.Length; i++) set._pages[i] = _pages[i] is not { } page ? Full : page == Full ? null : [.. page.Select(word => ~word)];
        return set;
    }

    /// <summary>Adds to each member the code points that differ from it in case only.</summary>
    public CodePointSet AddCases()
    {
        foreach (var (point, others) in CaseFolding.Equivalents)
            if (Contains(point))
                foreach (var other in others)
                    if (!Contains(other)) Add(other);
        return this;
    }

    // A page that may be written to.
    private ulong[] Page(int at)
    {
        if (_pages[at] == Full) _pages[at] = [.. Full];
        return _pages[at] ??= new ulong[Words];
    }
}
