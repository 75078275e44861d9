using System.Globalization;
using System.Text;
using Deliberate.Inference.Tokenization.Patterns;

namespace Deliberate.Inference.Tokenization.Unicode;

/// <summary>
/// The four normalization forms (Unicode Standard Annex 15). .NET leaves text as it is when globalization is invariant, as it is
/// here, so the tables come with this assembly.
/// </summary>
internal static class Normalization
{
    private const int HangulFirst = 0xAC00, LeadFirst = 0x1100, VowelFirst = 0x1161, TailFirst = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28;
    private static readonly Lazy<Tables> Data = new(Read);
    private static readonly Lazy<CodePointSet>[] Changing = [.. Enumerable.Range(0, 4).Select(form => new Lazy<CodePointSet>(() => ThatMayChange(form >= 2, form % 2 == 1)))];

    /// <summary>Decomposes, fully also what is only compatible where asked, and composes again where asked.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="compatible">NFKC and NFKD.</param>
    /// <param name="compose">NFC and NFKC.</param>
    public static string Apply(string text, bool compatible, bool compose)
    {
        if (Ascii.IsValid(text) || !Contains(text, Changing[(compatible ? 2 : 0) + (compose ? 1 : 0)].Value)) return text;
        var points = new List<int>(text.Length + 16);
        foreach (var rune in text.EnumerateRunes()) Decompose(rune.Value, compatible, points);
        Reorder(points);
        if (compose) Compose(points);
        var result = new StringBuilder(points.Count);
        foreach (var point in points) result.Append(new Rune(point));
        return result.ToString();
    }

    private static bool Contains(string text, CodePointSet set)
    {
        foreach (var rune in text.EnumerateRunes())
            if (set.Contains(rune.Value)) return true;
        return false;
    }

    // A text without any of these is in the form already.
    private static CodePointSet ThatMayChange(bool compatible, bool compose)
    {
        var (tables, set) = (Data.Value, new CodePointSet());
        foreach (var point in tables.Classes.Keys) set.Add(point);
        foreach (var (point, parts) in tables.Canonical)
            if (!compose || parts.Length != 2 || !tables.Composed.TryGetValue((parts[0], parts[1]), out var again) || again != point || (compatible && !IsStable(point))) set.Add(point);
        if (compatible)
            foreach (var point in tables.Compatible.Keys) set.Add(point);
        if (!compose) return set.AddRange(HangulFirst, HangulFirst + Leads * Vowels * Tails - 1);
        foreach (var (_, second) in tables.Composed.Keys) set.Add(second);
        return set.AddRange(VowelFirst, VowelFirst + Vowels - 1).AddRange(TailFirst, TailFirst + Tails - 1);

        // No part is only compatible with what it decomposes to.
        bool IsStable(int point) => !tables.Compatible.ContainsKey(point) && (!tables.Canonical.TryGetValue(point, out var parts) || parts.All(IsStable));
    }

    private static void Decompose(int point, bool compatible, List<int> points)
    {
        if (point is >= HangulFirst and < HangulFirst + Leads * Vowels * Tails)
        {
            var index = point - HangulFirst;
            points.Add(LeadFirst + index / (Vowels * Tails));
            points.Add(VowelFirst + index / Tails % Vowels);
            if (index % Tails > 0) points.Add(TailFirst + index % Tails);
        }
        else if (point >= 0xA0 && (Data.Value.Canonical.TryGetValue(point, out var parts) || (compatible && Data.Value.Compatible.TryGetValue(point, out parts))))
        {
            foreach (var part in parts) Decompose(part, compatible, points);
        }
        else points.Add(point);
    }

    // Marks after a letter are put in the order of their classes; those of the same class stay in theirs.
    private static void Reorder(List<int> points)
    {
        for (var start = 0; start < points.Count; start++)
        {
            if (Class(points[start]) == 0) continue;
            var end = start + 1;
            while (end < points.Count && Class(points[end]) != 0) end++;
            if (end - start > 1)
            {
                var sorted = points[start..end].OrderBy(Class).ToArray(); // keeps the order of equals
                for (var i = 0; i < sorted.Length; i++) points[start + i] = sorted[i];
            }

            start = end;
        }
    }

    private static void Compose(List<int> points)
    {
        var span = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(points);
        var (starter, lastClass, written) = (-1, -1, 0);
        foreach (var point in span)
        {
            var kind = Class(point);
            // Nothing of the same or a higher class may stand between the starter and what joins it.
            if (starter >= 0 && (lastClass == -1 || lastClass < kind) && Join(span[starter], point) is { } joined)
            {
                span[starter] = joined;
                continue;
            }

            if (kind == 0) (starter, lastClass) = (written, -1);
            else lastClass = kind;
            span[written++] = point;
        }

        points.RemoveRange(written, points.Count - written);
    }

    private static int? Join(int first, int second)
    {
        if (first is >= LeadFirst and < LeadFirst + Leads && second is >= VowelFirst and < VowelFirst + Vowels)
            return HangulFirst + ((first - LeadFirst) * Vowels + second - VowelFirst) * Tails;
        if (first is >= HangulFirst and < HangulFirst + Leads * Vowels * Tails && (first - HangulFirst) % Tails == 0 && second is > TailFirst and < TailFirst + Tails)
            return first + second - TailFirst;
        return Data.Value.Composed.TryGetValue((first, second), out var joined) ? joined : null;
    }

    private static int Class(int point) => point < 0x300 ? 0 : Data.Value.Classes.GetValueOrDefault(point);

    private static Tables Read()
    {
        using var stream = typeof(Normalization).Assembly.GetManifestResourceStream("Unicode.decompositions.txt")!;
        using var reader = new StreamReader(stream);
        var tables = new Tables([], [], [], []);
        while (reader.ReadLine() is { } line)
        {
            var fields = line.Split(' ');
            if (fields[0] is "#") continue;
            if (fields[0] is "C")
            {
                for (var point = Hex(fields[1]); point <= Hex(fields[2]); point++) tables.Classes[point] = byte.Parse(fields[3], CultureInfo.InvariantCulture);
                continue;
            }

            var (composed, parts) = (Hex(fields[1]), fields[2..].Select(Hex).ToArray());
            (fields[0] is "K" ? tables.Compatible : tables.Canonical)[composed] = parts;
            if (fields[0] is "D") tables.Composed[(parts[0], parts[1])] = composed;
        }

        return tables;
    }

    private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private sealed record Tables(Dictionary<int, int[]> Canonical, Dictionary<int, int[]> Compatible, Dictionary<(int First, int Second), int> Composed, Dictionary<int, byte> Classes);
}
