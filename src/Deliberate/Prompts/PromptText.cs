using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Conversations;

namespace Deliberate.Prompts;

/// <summary>What is compared when prompts are compared: their words, whatever the case, spacing and punctuation. Same on every machine, thread-safe.</summary>
public static class PromptText
{
    /// <summary>
    /// The words of a text in small letters. A word is a run of letters, digits and marks; a symbol or arithmetic sign is one of its own, and so is each
    /// letter of the scripts that are written without spaces. Invisible characters and punctuation count for nothing, unless there is nothing else.
    /// </summary>
    public static IReadOnlyList<string> Words(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var words = new List<string>();
        var word = new StringBuilder();
        foreach (var raw in text.EnumerateRunes())
        {
            // Full-width forms of ASCII.
            var rune = raw.Value is >= 0xFF01 and <= 0xFF5E ? new Rune(raw.Value - 0xFEE0) : raw;
            var category = Rune.GetUnicodeCategory(rune);
            if (category is UnicodeCategory.Format or UnicodeCategory.Control && !Rune.IsWhiteSpace(rune)) continue;
            if (IsWordPart(category) && !StandsAlone(rune.Value)) word.Append(Rune.ToLowerInvariant(rune).ToString());
            else
            {
                Close();
                if (IsWordPart(category) || IsSign(rune, category)) words.Add(rune.ToString());
            }
        }

        Close();
        if (words.Count == 0 && text.Trim() is { Length: > 0 } only) words.Add(only);
        return words;

        void Close()
        {
            if (word.Length > 0) words.Add(word.ToString());
            word.Clear();
        }
    }

    /// <summary>The words of a text with single spaces between.</summary>
    public static string Normalise(string text) => string.Join(' ', Words(text));

    /// <summary>The words of all turns, a line a turn with its role.</summary>
    public static string Normalise(Conversation conversation)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        return string.Join('\n', conversation.Turns.Select(turn => $"{turn.Role}: {Normalise(turn.Text)}"));
    }

    /// <summary>The first 16 hex digits of the SHA-256 over the normal form of a conversation: equal where nothing but case, spacing and punctuation differs.</summary>
    public static string Hash(Conversation conversation) => Hex(Normalise(conversation));

    /// <summary>The id of a prompt that has none: 16 hex digits of a hash over roles and texts as they stand.</summary>
    internal static string Id(Conversation conversation) => Hex(string.Join('\0', conversation.Turns.Select(turn => $"{turn.Role}\n{turn.Text}")));

    /// <summary>The words of what the user said.</summary>
    internal static string UserWords(Conversation conversation) => string.Join('\n', conversation.Turns.Where(turn => turn.Role == Role.User).Select(turn => Normalise(turn.Text)));

    private static string Hex(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];

    private static bool IsWordPart(UnicodeCategory category) => category <= UnicodeCategory.EnclosingMark || category is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    private static bool IsSign(Rune rune, UnicodeCategory category) =>
        category is UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.OtherSymbol || rune.Value is '*' or '/' or '%' or '#' or '&' or '@' or '^' or '\\';

    // Thai, Lao, Khmer and Burmese; Han, kana and their extensions.
    private static bool StandsAlone(int value) => value is (>= 0x0E00 and <= 0x0EFF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17FF) or (>= 0x2E80 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF);
}
