using System.Text.RegularExpressions;

namespace Deliberate.Evaluation;

/// <summary>Finds the clauses that a text cites by code: "[T3]".</summary>
public static partial class ClauseCitations
{
    /// <summary>The cited codes in order, each once.</summary>
    public static IReadOnlyList<string> Find(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. Code().Matches(text).Select(match => match.Groups[1].Value).Distinct()];
    }

    [GeneratedRegex(@"\[([A-Z]{1,3}[0-9]{1,3})\]", RegexOptions.CultureInvariant)]
    private static partial Regex Code();
}
