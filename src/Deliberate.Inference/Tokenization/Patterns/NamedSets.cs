using System.Collections.Concurrent;
using static System.Globalization.UnicodeCategory;

namespace Deliberate.Inference.Tokenization.Patterns;

/// <summary>The sets that patterns name: general categories, a few scripts, and the classes of Oniguruma's escapes and brackets.</summary>
internal static class NamedSets
{
    private static readonly Dictionary<string, System.Globalization.UnicodeCategory[]> Categories = new()
    {
        ["l"] = [UppercaseLetter, LowercaseLetter, TitlecaseLetter, ModifierLetter, OtherLetter],
        ["lc"] = [UppercaseLetter, LowercaseLetter, TitlecaseLetter],
        ["lu"] = [UppercaseLetter],
        ["ll"] = [LowercaseLetter],
        ["lt"] = [TitlecaseLetter],
        ["lm"] = [ModifierLetter],
        ["lo"] = [OtherLetter],
        ["m"] = [NonSpacingMark, SpacingCombiningMark, EnclosingMark],
        ["mn"] = [NonSpacingMark],
        ["mc"] = [SpacingCombiningMark],
        ["me"] = [EnclosingMark],
        ["n"] = [DecimalDigitNumber, LetterNumber, OtherNumber],
        ["nd"] = [DecimalDigitNumber],
        ["nl"] = [LetterNumber],
        ["no"] = [OtherNumber],
        ["p"] = [ConnectorPunctuation, DashPunctuation, OpenPunctuation, ClosePunctuation, InitialQuotePunctuation, FinalQuotePunctuation, OtherPunctuation],
        ["pc"] = [ConnectorPunctuation],
        ["pd"] = [DashPunctuation],
        ["ps"] = [OpenPunctuation],
        ["pe"] = [ClosePunctuation],
        ["pi"] = [InitialQuotePunctuation],
        ["pf"] = [FinalQuotePunctuation],
        ["po"] = [OtherPunctuation],
        ["s"] = [MathSymbol, CurrencySymbol, ModifierSymbol, OtherSymbol],
        ["sm"] = [MathSymbol],
        ["sc"] = [CurrencySymbol],
        ["sk"] = [ModifierSymbol],
        ["so"] = [OtherSymbol],
        ["z"] = [SpaceSeparator, LineSeparator, ParagraphSeparator],
        ["zs"] = [SpaceSeparator],
        ["zl"] = [LineSeparator],
        ["zp"] = [ParagraphSeparator],
        ["c"] = [Control, Format, Surrogate, PrivateUse, OtherNotAssigned],
        ["cc"] = [Control],
        ["cf"] = [Format],
        ["cs"] = [Surrogate],
        ["co"] = [PrivateUse],
        ["cn"] = [OtherNotAssigned],
        ["cntrl"] = [Control],
        ["digit"] = [DecimalDigitNumber],
    };

    private static readonly Dictionary<string, string> LongNames = new()
    {
        ["letter"] = "l",
        ["casedletter"] = "lc",
        ["uppercaseletter"] = "lu",
        ["lowercaseletter"] = "ll",
        ["titlecaseletter"] = "lt",
        ["modifierletter"] = "lm",
        ["otherletter"] = "lo",
        ["mark"] = "m",
        ["combiningmark"] = "m",
        ["nonspacingmark"] = "mn",
        ["spacingmark"] = "mc",
        ["enclosingmark"] = "me",
        ["number"] = "n",
        ["decimalnumber"] = "nd",
        ["letternumber"] = "nl",
        ["othernumber"] = "no",
        ["punctuation"] = "p",
        ["connectorpunctuation"] = "pc",
        ["dashpunctuation"] = "pd",
        ["openpunctuation"] = "ps",
        ["closepunctuation"] = "pe",
        ["initialpunctuation"] = "pi",
        ["finalpunctuation"] = "pf",
        ["otherpunctuation"] = "po",
        ["symbol"] = "s",
        ["mathsymbol"] = "sm",
        ["currencysymbol"] = "sc",
        ["modifiersymbol"] = "sk",
        ["othersymbol"] = "so",
        ["separator"] = "z",
        ["spaceseparator"] = "zs",
        ["lineseparator"] = "zl",
        ["paragraphseparator"] = "zp",
        ["other"] = "c",
        ["control"] = "cc",
        ["format"] = "cf",
        ["surrogate"] = "cs",
        ["privateuse"] = "co",
        ["unassigned"] = "cn",
        ["whitespace"] = "space",
    };

    // Scripts.txt of Unicode 15.
    private static readonly Dictionary<string, (int First, int Last)[]> Ranges = new()
    {
        ["any"] = [(0, 0x10FFFF)],
        ["ascii"] = [(0, 0x7F)],
        ["xdigit"] = [('0', '9'), ('A', 'F'), ('a', 'f')],
        ["space"] = [(9, 13), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)],
        ["han"] = [(0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D), (0xFA70, 0xFAD9),
            (0x16FE2, 0x16FE3), (0x16FF0, 0x16FF1), (0x20000, 0x2A6DF), (0x2A700, 0x2B739), (0x2B740, 0x2B81D), (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0), (0x2F800, 0x2FA1D), (0x30000, 0x3134A), (0x31350, 0x323AF)],
        ["hiragana"] = [(0x3041, 0x3096), (0x309D, 0x309F), (0x1B001, 0x1B11F), (0x1B132, 0x1B132), (0x1B150, 0x1B152), (0x1F200, 0x1F200)],
        ["katakana"] = [(0x30A1, 0x30FA), (0x30FD, 0x30FF), (0x31F0, 0x31FF), (0x32D0, 0x32FE), (0x3300, 0x3357), (0xFF66, 0xFF6F), (0xFF71, 0xFF9D), (0x1AFF0, 0x1AFF3), (0x1AFF5, 0x1AFFB), (0x1AFFD, 0x1AFFE),
            (0x1B000, 0x1B000), (0x1B120, 0x1B122), (0x1B155, 0x1B155), (0x1B164, 0x1B167)],
        ["hangul"] = [(0x1100, 0x11FF), (0x302E, 0x302F), (0x3131, 0x318E), (0x3200, 0x321E), (0x3260, 0x327E), (0xA960, 0xA97C), (0xAC00, 0xD7A3), (0xD7B0, 0xD7C6), (0xD7CB, 0xD7FB), (0xFFA0, 0xFFBE), (0xFFC2, 0xFFC7),
            (0xFFCA, 0xFFCF), (0xFFD2, 0xFFD7), (0xFFDA, 0xFFDC)],
    };

    private static readonly ConcurrentDictionary<string, CodePointSet?> Known = new();

    /// <summary>White space as Unicode has it.</summary>
    public static CodePointSet Space => Of("space")!;

    /// <summary>Letters, marks, decimal digits, letter numbers, connectors and circled letters.</summary>
    public static CodePointSet Word => Of("word")!;

    /// <summary>Numbers of all three categories.</summary>
    public static CodePointSet Number => Of("n")!;

    /// <summary>Punctuation, and ASCII's symbols with it.</summary>
    public static CodePointSet Punctuation => Of("punct")!;

    /// <summary>The set of a name, upper or lower case and with or without separators; null where the name is none of these. Not to be changed.</summary>
    public static CodePointSet? Of(string name)
    {
        var key = string.Concat(name.Where(letter => letter is not (' ' or '_' or '-'))).ToLowerInvariant();
        key = LongNames.GetValueOrDefault(key, key);
        return Categories.ContainsKey(key) || Ranges.ContainsKey(key) || key is "word" or "punct" or "blank" ? Known.GetOrAdd(key, Build) : null;
    }

    private static CodePointSet Build(string key)
    {
        if (Categories.TryGetValue(key, out var categories)) return CodePointSet.OfCategories(categories);
        if (key == "blank") return CodePointSet.OfCategories(SpaceSeparator).Add('\t');
        // Alphabetic of Unicode beyond letters, marks and letter numbers: the circled and squared letters.
        if (key == "word")
            return CodePointSet.OfCategories([.. Categories["l"], .. Categories["m"], DecimalDigitNumber, LetterNumber, ConnectorPunctuation])
                .AddRange(0x24B6, 0x24E9).AddRange(0x1F130, 0x1F149).AddRange(0x1F150, 0x1F169).AddRange(0x1F170, 0x1F189);
        if (key == "punct")
        {
            var punctuation = CodePointSet.OfCategories(Categories["p"]);
            foreach (var letter in "$+<=>^`|~") punctuation.Add(letter);
            return punctuation;
        }

        var set = new CodePointSet();
        foreach (var (first, last) in Ranges[key]) set.AddRange(first, last);
        return set;
    }
}
