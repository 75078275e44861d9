using System.Text.RegularExpressions;

namespace Deliberate.Policies;

/// <summary>Reads an action in the natural words that policies use for it.</summary>
internal static partial class ActionWords
{
    /// <summary>The words as an error names them.</summary>
    public const string Known = "comply, refuse or safe-complete";

    /// <summary>The action that the text begins with, or null: "comply", "it is refused", "then complete safely".</summary>
    public static PolicyAction? Read(string text)
    {
        var words = Opening().Replace(text.Trim(), "");
        return Safe().IsMatch(words) ? PolicyAction.SafeComplete : Refuse().IsMatch(words) ? PolicyAction.Refuse : Comply().IsMatch(words) ? PolicyAction.Comply : null;
    }

    [GeneratedRegex(@"^(?:[*_`]+|(?:in (?:which|that) case,?|then|we|it|they|is|are|be|the|a|such|request|requests|gets?|give|always|still|please|instead|must|may|should|can|simply)\s+)+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Opening();

    [GeneratedRegex(@"^(?:safe[- ]?complet\w*|safely complet\w*|complet\w* safely|safe (?:help|answers?))\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Safe();

    [GeneratedRegex(@"^(?:refus\w*|declin\w*|disallow\w*|forb[ai]d\w*|den(?:y|ied)|not (?:allowed|permitted|answered)|(?:do not|don't|never) (?:answer|comply|help))\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Refuse();

    [GeneratedRegex(@"^(?:compl(?:y|ied|ies|iance)|allow(?:ed)?|permit(?:ted)?|answer(?:ed|s)?|help(?:ed)?|fine)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Comply();
}
