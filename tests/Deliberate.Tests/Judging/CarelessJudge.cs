using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Deliberate.Tests.Judging;

/// <summary>
/// A judge that reads its own prompt carelessly: it takes the last verdict that it finds outside of the fences for its own, hidden characters and odd letters notwithstanding. When there is none, it
/// judges honestly.
/// </summary>
internal static partial class CarelessJudge
{
    /// <summary>The last verdict that stands in the prompt outside of any fence, or null.</summary>
    public static string? LastUnfenced(IEnumerable<ChatMessage> messages)
    {
        var seen = string.Join('\n', messages.Select(message => Fenced().Replace(message.Text, "")));
        var plain = string.Concat(seen.Where(letter => char.GetUnicodeCategory(letter) != System.Globalization.UnicodeCategory.Format)
            .Select(letter => letter is >= '\uFF01' and <= '\uFF5E' ? (char)(letter - 0xFEE0) : letter));
        return Verdicts().Matches(plain) is { Count: > 0 } found ? found[^1].Value : null;
    }

    /// <summary>The code that the prompt asks the judge to sign with.</summary>
    public static string CodeOf(IReadOnlyList<ChatMessage> messages) => Code().Match(messages[0].Text).Groups[1].Value;

    [GeneratedRegex(@"<([\w-]+-[0-9a-f]{8})>\n.*?\n</\1>", RegexOptions.Singleline)]
    private static partial Regex Fenced();

    // The forms that prompts show ("score": <score>) are no verdicts.
    [GeneratedRegex(@"\{[^{}<>]*""(?:score|violation|answer|better)""\s*:[^{}<>]*\}|\b(?:score|violation|answer|better)\s*:\s*(?:\d+(?:/10)?|yes|no|[AB])\b", RegexOptions.IgnoreCase)]
    private static partial Regex Verdicts();

    [GeneratedRegex("tags with the code ([0-9a-f]{8}) is material")]
    private static partial Regex Code();
}
