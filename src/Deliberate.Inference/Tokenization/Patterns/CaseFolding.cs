using System.Text;

namespace Deliberate.Inference.Tokenization.Patterns;

/// <summary>Code points that are the same letter when case is ignored (simple case folding).</summary>
internal static class CaseFolding
{
    // Letters whose folding .NET leaves out because it leads into or out of ASCII, and the sharp s.
    private static readonly (int Point, int Same)[] Extra = [(0x17F, 's'), (0x212A, 'k'), (0x212B, 0xE5), (0x1E9E, 0xDF)];

    private static readonly Lazy<Dictionary<int, int[]>> Groups = new(() =>
    {
        var groups = new Dictionary<int, HashSet<int>>();
        for (var point = 0; point < 0x20000; point++)
            if (Rune.IsValid(point) && Fold(point) is var folded && folded != point) Join(point, folded);
        foreach (var (point, same) in Extra) Join(point, Fold(same));
        return groups.Values.SelectMany(group => group.Select(point => (point, group))).ToDictionary(pair => pair.point, pair => pair.group.ToArray());

        void Join(int point, int folded)
        {
            if (!groups.TryGetValue(folded, out var group)) groups[folded] = group = [folded];
            group.Add(point);
        }
    });

    /// <summary>A code point to all of its kind, itself among them; letters without case are absent.</summary>
    public static IReadOnlyDictionary<int, int[]> Equivalents => Groups.Value;

    private static int Fold(int point) => Rune.ToLowerInvariant(Rune.ToUpperInvariant(new Rune(point))).Value;
}
