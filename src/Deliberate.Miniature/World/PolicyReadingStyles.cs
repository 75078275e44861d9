using System.Text.RegularExpressions;
using Deliberate.Miniature.Language;
using Deliberate.Policies;

namespace Deliberate.Miniature.World;

/// <summary>Finds out which of the world's styles a policy's style guides mean: by the style's name, or else by the guidelines, or else the first.</summary>
internal static partial class PolicyReadingStyles
{
    // In order: the first word of these that a guide uses decides, and a name of more words comes before its parts.
    private static readonly (Regex Pattern, string Style)[] RefusalWords =
    [
        (Words("no apolog(?:y|ies)|without (?:an |any )?apolog(?:y|ies|i[sz]ing)|(?:not|never) apologi[sz]e|(?:plain|flat|blunt|firm|short|curt|simple|direct)(?:ly)? (?:no|refusals?|refuse)|^plain(?:ly)?$|bluntly|flatly"), "a plain no"),
        (Words("offers?|alternatives?|something else"), "an apology and an offer"),
        (Words("apolog(?:y|ies|i[sz]e|i[sz]ing|etic)|sorry|regrets?"), "a brief apology"),
    ];

    private static readonly (Regex Pattern, string Style)[] SafeWords =
    [
        (Words("help ?lines?|hot ?lines?|crisis lines?|with care|caring"), "care and a helpline"),
        (Words("professionals?|experts?|specialists?"), "a professional"),
        (Words("facts?|general (?:terms|information)|in general"), "general facts"),
    ];

    /// <summary>The styles of refusing and of safe-completing.</summary>
    public static (string Refusal, string Safe) Read(Policy policy, ICollection<string>? warnings)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return (Of("refusal style", policy.Refusal, Styles.Refusals, RefusalWords), Of("safe-completion style", policy.SafeCompletion, Styles.SafeCompletions, SafeWords));

        string Of(string kind, StyleGuide guide, IReadOnlyList<string> styles, (Regex Pattern, string Style)[] words)
        {
            if (Named(guide.Name, styles, words) is { } named) return named;
            var place = Path.Combine(policy.Folder, "policy.md");
            if (Named(Denials().Replace(guide.Text, " "), styles, words) is { } described)
            {
                if (guide.Name.Length > 0) warnings?.Add($"{place}: the {kind} '{guide.Name}' is none of {Known(styles)}; by its guidelines it is taken for '{described}'.");
                return described;
            }

            warnings?.Add($"{place}: no {kind} among {Known(styles)} was found; '{styles[0]}' is taken. Write '## {char.ToUpperInvariant(kind[0])}{kind[1..]}: {styles[0]}'.");
            return styles[0];
        }
    }

    private static string? Named(string text, IReadOnlyList<string> styles, (Regex Pattern, string Style)[] words)
    {
        // Other styles, too, may send people to a professional; the words below weigh that.
        if (styles.FirstOrDefault(style => style != "a professional" && text.Contains(style, StringComparison.OrdinalIgnoreCase)) is { } whole) return whole;
        return words.FirstOrDefault(word => word.Pattern.IsMatch(text)).Style;
    }

    private static string Known(IReadOnlyList<string> styles) => string.Join(", ", styles.Select(style => $"'{style}'"));

    private static Regex Words(string alternatives) => new($@"\b(?:{alternatives})\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    // What a guideline tells not to do says nothing of the style, save that there is no apology.
    [GeneratedRegex(@"\b(?:do not|don't|never|without|no)\b(?!\s+(?:an?\s+|any\s+)?apolog)[^.;,\n]*", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Denials();
}
