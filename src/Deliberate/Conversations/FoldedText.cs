using System.Buffers;
using System.Globalization;
using System.Text;

namespace Deliberate.Conversations;

/// <summary>
/// Text as a reader sees it, for comparisons only: lower case, without characters that do not show, wide and look-alike letters as plain
/// ones. Two texts that look the same compare as the same. Thread-safe.
/// </summary>
/// <remarks>Unicode's own compatibility forms are no help here: without ICU, <see cref="string.Normalize()"/> leaves text as it is.</remarks>
internal static class FoldedText
{
    // Lower-case letters of Cyrillic and Greek, each before the Latin letter that it (or its capital) looks like.
    private const string Pairs =
        "аaвbсcеeнhіiјjкkмmоoрpѕsтtуyхxһhԁdԛqԝwӏl" + "αaβbεeηnιiκkμuνvοoρpτtυuχxωw";

    private static readonly Dictionary<int, char> Lookalikes = LookalikesOf();

    /// <summary>The text as it looks.</summary>
    public static string Fold(string text)
    {
        var buffer = ArrayPool<char>.Shared.Rent(text.Length);
        var folded = buffer.AsSpan(0, Fold(text, buffer)).ToString();
        ArrayPool<char>.Shared.Return(buffer);
        return folded;
    }

    /// <summary>The text as it looks, written to a buffer, and its length there: no longer than the text.</summary>
    public static int Fold(ReadOnlySpan<char> text, Span<char> folded)
    {
        if (Ascii.ToLower(text, folded, out var length) == OperationStatus.Done) return length; // most text, and many times quicker
        length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsAscii)
            {
                folded[length++] = char.ToLowerInvariant((char)rune.Value);
                continue;
            }

            if (Hidden(rune)) continue;
            var plain = Rune.ToLowerInvariant(Plain(rune));
            if (Lookalikes.TryGetValue(plain.Value, out var latin)) folded[length++] = latin;
            else length += plain.EncodeToUtf16(folded[length..]);
        }

        return length;
    }

    /// <summary>The letters and digits of the text as it looks, and nothing between them.</summary>
    public static string Letters(string text) => string.Concat(Fold(text).EnumerateRunes().Where(Rune.IsLetterOrDigit).Select(rune => rune.ToString()));

    // Zero-width, bidi and tag characters, combining marks, variation selectors and fillers.
    private static bool Hidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format
        || rune.Value is (>= 0x300 and <= 0x36F) or (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0000 and <= 0xE01EF) or 0x115F or 0x1160 or 0x3164 or 0xFFA0;

    private static Rune Plain(Rune rune) => rune.Value switch
    {
        >= 0xFF01 and <= 0xFF5E => new Rune(rune.Value - 0xFEE0),
        >= 0x1D400 and <= 0x1D6A3 => Letter((rune.Value - 0x1D400) % 52),
        >= 0x1D7CE and <= 0x1D7FF => new Rune('0' + ((rune.Value - 0x1D7CE) % 10)),
        >= 0x24B6 and <= 0x24E9 => new Rune('a' + ((rune.Value - 0x24B6) % 26)),
        >= 0x2460 and <= 0x2468 => new Rune('1' + (rune.Value - 0x2460)),
        0xA0 or 0x3000 or (>= 0x2000 and <= 0x200A) or 0x202F or 0x205F => new Rune(' '),
        0x2018 or 0x2019 or 0x201B or 0x2032 => new Rune('\''),
        0x201C or 0x201D or 0x201F or 0x2033 => new Rune('"'),
        (>= 0x2010 and <= 0x2015) or 0x2212 => new Rune('-'),
        _ => rune,
    };

    private static Rune Letter(int number) => new(number < 26 ? 'A' + number : 'a' + (number - 26));

    private static Dictionary<int, char> LookalikesOf()
    {
        var map = new Dictionary<int, char>();
        for (var i = 0; i + 1 < Pairs.Length; i += 2) map[Pairs[i]] = Pairs[i + 1];
        return map;
    }
}
