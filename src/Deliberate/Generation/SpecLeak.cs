using System.Buffers;
using System.Text.RegularExpressions;
using Deliberate.Conversations;
using Deliberate.Policies;

namespace Deliberate.Generation;

/// <summary>
/// Finds a specification where it must not be: in answers, and in prompts that a model is trained on. Three signs count: a run of the
/// specification's own words, words that point at a text in the prompt ("the policy above"), and clause codes. Case, punctuation, spaces, hidden characters and
/// letters of another alphabet that look the same make no difference; other words for the same do. Immutable.
/// </summary>
/// <param name="words">How many consecutive words of the specification count as a leak, at least 3. Shorter runs occur by chance, or are the style that the policy asks for.</param>
public sealed partial class SpecLeak(int words = 12)
{
    private readonly int _words = words >= 3 ? words : throw new ArgumentOutOfRangeException(nameof(words), words, "At least 3 words make a leak.");

    // Specifications are few and long, texts many and short.
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<Spec, SpecWords> _specs = [];

    // Each of the two expressions that point at a policy needs one of these words, and few answers have any.
    private static readonly SearchValues<string> Pointers = SearchValues.Create(["polic", "spec", "clause", "guideline", "rules", "instructions"], StringComparison.Ordinal);

    /// <summary>What leaks into this answer, in a few words, or null.</summary>
    public string? InAnswer(string answer, Spec spec)
    {
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentNullException.ThrowIfNull(spec);
        return Folded(answer, seen =>
        {
            var points = seen.ContainsAny(Pointers) ? Found(References(), seen) ?? Found(OwnRules(), seen) : null;
            return points ?? (HasCode(seen) ? Code(seen.ToString(), spec) : null) ?? Run(seen, spec);
        });
    }

    /// <summary>What leaks into this prompt, in a few words, or null. Users may well write "[A1]" or "the policy above": only the specification's words count.</summary>
    public string? InPrompt(string prompt, Spec spec)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(spec);
        return Folded(prompt, seen => Run(seen, spec));
    }

    /// <summary>The words by which a text points at a policy in its prompt, or null: such a thought makes no sense once the policy is gone.</summary>
    public static string? Reference(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Folded(text, static seen => Found(References(), seen));
    }

    // In a buffer that is used again: nearly every text is looked at and forgotten.
    private static string? Folded(string text, Func<ReadOnlySpan<char>, string?> find)
    {
        var buffer = ArrayPool<char>.Shared.Rent(text.Length);
        try
        {
            return find(buffer.AsSpan(0, FoldedText.Fold(text, buffer)));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(buffer);
        }
    }

    private static string? Found(Regex words, ReadOnlySpan<char> seen)
    {
        foreach (var match in words.EnumerateMatches(seen)) return $"points at a text in its prompt: \"{seen.Slice(match.Index, match.Length)}\"";
        return null;
    }

    private static string? Code(string seen, Spec spec) => Codes().Matches(seen)
        .SelectMany(match => match.Groups["code"].Captures).Select(capture => capture.Value.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant())
        .FirstOrDefault(code => Regex.IsMatch(spec.Text, $@"\b{code}\b", RegexOptions.CultureInvariant)) is { } code ? $"names clause {code}" : null;

    // A digit after a letter or a hyphen: no clause code is without.
    private static bool HasCode(ReadOnlySpan<char> seen)
    {
        for (var at = 1; at < seen.Length; at++)
            if (char.IsAsciiDigit(seen[at]) && (char.IsAsciiLetterLower(seen[at - 1]) || seen[at - 1] == '-')) return true;
        return false;
    }

    private string? Run(ReadOnlySpan<char> seen, Spec spec)
    {
        var words = _specs.GetValue(spec, Read);
        // A run needs as many words of the specification in a row, whichever: only then is it worth while to put runs together.
        var known = words.Single.GetAlternateLookup<ReadOnlySpan<char>>();
        var inRow = 0;
        for (var at = 0; at < seen.Length;)
        {
            var start = at;
            while (at < seen.Length && IsOfWord(seen[at])) at++;
            if (at == start)
            {
                at++;
                continue;
            }

            inRow = known.Contains(seen[start..at]) ? inRow + 1 : 0;
            if (inRow == _words) return Runs(seen.ToString()).FirstOrDefault(words.Runs.Contains) is { } run ? $"repeats the specification: \"{run}\"" : null;
        }

        return null;
    }

    // As in Words(), which is slower.
    private static bool IsOfWord(char sign) => char.IsAsciiLetterOrDigit(sign) || (!char.IsAscii(sign) && (char.IsLetter(sign) || char.IsNumber(sign)));

    private SpecWords Read(Spec spec)
    {
        var text = FoldedText.Fold(spec.Text);
        return new([.. Runs(text)], [.. Words().Matches(text).Select(match => match.Value)]);
    }

    private IEnumerable<string> Runs(string seen)
    {
        var split = Words().Matches(seen).Select(match => match.Value).ToArray();
        for (var start = 0; start + _words <= split.Length; start++) yield return string.Join(' ', split.AsSpan(start, _words).ToArray());
    }

    private sealed record SpecWords(HashSet<string> Runs, HashSet<string> Single);

    [GeneratedRegex(@"[\p{L}\p{N}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    [GeneratedRegex(
        @"\b(?:(?:polic(?:y|ies)|spec(?:ification)?|clauses?)\s+(?:above|below|(?:in|from)\s+(?:the|my|this)\s+(?:prompt|context)|(?:that\s+)?(?:i\s+was|i\s+am|you)\s+(?:given|provided|gave))|(?:guidelines?|rules)\s+above|the\s+(?:above|provided|given)\s+(?:polic(?:y|ies)|guidelines?|spec(?:ification)?|clauses?)|the\s+final\s+instructions)\b",
        RegexOptions.CultureInvariant)]
    private static partial Regex References();

    // In a thought a model may well speak of its guidelines, which it has learned; to a user it must not cite them.
    [GeneratedRegex(
        @"\bmy\s+(?:(?:own|internal|safety|content|usage)\s+)*(?:guidelines?|polic(?:y|ies)|spec(?:ification)?)(?:'s)?\s+(?:sections?|clauses?|paragraphs?)\b|\b(?:sections?|clauses?|paragraphs?)\s+(?:\S+\s+)?(?:of|in|from)\s+my\s+(?:(?:own|internal|safety|content|usage)\s+)*(?:guidelines?|polic(?:y|ies)|spec(?:ification)?)\b|\bpolicy\s+(?:section|clause)\s+\S+\s+(?:says|states|requires|forbids|allows)\b|\b(?:guidelines?|rules|instructions)\s+(?:(?:in|from)\s+my\s+(?:prompt|context)|(?:that\s+)?i\s+(?:was|am|were|have\s+been)\s+given)\b",
        RegexOptions.CultureInvariant)]
    private static partial Regex OwnRules();

    // "clause T3", "rules T3 and T4", "[T3, S1]", "(t3)", "T3 forbids".
    [GeneratedRegex(
        @"\b(?:clause|section|rule|policy|guideline)s?[\s:#(-]*(?<code>[a-z]{1,4}-?[0-9]{1,3})\b(?:\s*(?:,|and|&)\s*(?<code>[a-z]{1,4}-?[0-9]{1,3})\b)*|[\[(]\s*(?<code>[a-z]{1,4}-?[0-9]{1,3})(?:\s*[,;&]\s*(?<code>[a-z]{1,4}-?[0-9]{1,3}))*\s*[\])]|\b(?<code>[a-z]{1,4}-?[0-9]{1,3})\s+(?:says|states|forbids|prohibits|disallows|allows|requires|demands)\b",
        RegexOptions.CultureInvariant)]
    private static partial Regex Codes();
}
