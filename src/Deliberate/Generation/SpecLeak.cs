using System.Text.RegularExpressions;
using Deliberate.Evaluation;
using Deliberate.Policies;

namespace Deliberate.Generation;

/// <summary>
/// Finds a specification where it must not be: in answers, and in prompts that a model is trained on. Three signs count: a run of the
/// specification's own words, words that point at a text in the prompt ("the policy above"), and clause codes. Immutable.
/// </summary>
/// <param name="words">How many consecutive words of the specification count as a leak, at least 3. Shorter runs occur by chance, or are the style that the policy asks for.</param>
public sealed partial class SpecLeak(int words = 12)
{
    private readonly int _words = words >= 3 ? words : throw new ArgumentOutOfRangeException(nameof(words), words, "At least 3 words make a leak.");

    // Specifications are few and long, texts many and short.
    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<Spec, HashSet<string>> _runs = [];

    /// <summary>What leaks into this answer, in a few words, or null.</summary>
    public string? InAnswer(string answer, Spec spec) => Reference(answer) ?? Code(answer, spec) ?? Run(answer, spec);

    /// <summary>What leaks into this prompt, in a few words, or null. Users may well write "[A1]" or "the policy above": only the specification's words count.</summary>
    public string? InPrompt(string prompt, Spec spec) => Run(prompt, spec);

    /// <summary>The words by which a text points at a policy in its prompt, or null: such a thought makes no sense once the policy is gone.</summary>
    public static string? Reference(string text) => References().Match(text) is { Success: true } match ? $"points at a text in its prompt: \"{match.Value}\"" : null;

    private static string? Code(string answer, Spec spec) =>
        ClauseCitations.Find(answer).Concat(Named().Matches(answer).Select(match => match.Groups["code"].Value))
            .FirstOrDefault(code => Regex.IsMatch(spec.Text, $@"\b{code}\b", RegexOptions.CultureInvariant)) is { } code ? $"names clause {code}" : null;

    private string? Run(string text, Spec spec)
    {
        var runs = _runs.GetValue(spec, key => [.. Runs(key.Text)]);
        return Runs(text).FirstOrDefault(runs.Contains) is { } run ? $"repeats the specification: \"{run}\"" : null;
    }

    private IEnumerable<string> Runs(string text)
    {
        var split = Words().Matches(text).Select(match => match.Value.ToLowerInvariant()).ToArray();
        for (var start = 0; start + _words <= split.Length; start++) yield return string.Join(' ', split.AsSpan(start, _words).ToArray());
    }

    [GeneratedRegex(@"[\p{L}\p{N}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    [GeneratedRegex(
        @"\b(?:(?:polic(?:y|ies)|spec(?:ification)?|clauses?)\s+(?:above|below|(?:in|from)\s+(?:the|my|this)\s+(?:prompt|context)|(?:that\s+)?(?:I\s+was|I\s+am|you)\s+(?:given|provided|gave))|(?:guidelines?|rules)\s+above|the\s+(?:above|provided|given)\s+(?:polic(?:y|ies)|guidelines?|spec(?:ification)?|clauses?)|the\s+final\s+instructions)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex References();

    [GeneratedRegex(@"\b(?:[Cc]lause|[Ss]ection|[Rr]ule|[Pp]olicy)\s+(?<code>[A-Z]{1,4}[0-9]{1,3})\b", RegexOptions.CultureInvariant)]
    private static partial Regex Named();
}
