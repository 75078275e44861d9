using System.Text.RegularExpressions;
using Deliberate.Policies;

namespace Deliberate.Evaluation;

/// <summary>Finds the clause codes that a text cites: capital letters and a number in square brackets, as in [T3] or [T3, S1].</summary>
public static partial class ClauseCitations
{
    /// <summary>The distinct codes in the order of their first citation.</summary>
    public static IReadOnlyList<string> Find(string text) => [.. Locate(text).Select(citation => citation.Code).Distinct()];

    /// <summary>Every citation in order: where its code starts in the text (a character index), and the code.</summary>
    public static IReadOnlyList<(int Start, string Code)> Locate(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. Brackets().Matches(text).SelectMany(match => match.Groups["code"].Captures).Select(capture => (capture.Index, capture.Value))];
    }

    /// <summary>Whether the text names a clause of the policy, in brackets or not: "Clause T3 allows" counts. For measuring models that were not taught the brackets.</summary>
    public static bool Mentions(string text, Policy policy)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(policy);
        return Words().Matches(text).Any(match => policy.Find(match.Value) is not null);
    }

    [GeneratedRegex(@"(?<![A-Za-z0-9])[A-Z]{1,4}[0-9]{1,3}(?![A-Za-z0-9])", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    [GeneratedRegex(@"\[(?<code>[A-Z]{1,4}[0-9]{1,3})(?:[,;]\s?(?<code>[A-Z]{1,4}[0-9]{1,3}))*\]", RegexOptions.CultureInvariant)]
    private static partial Regex Brackets();
}
