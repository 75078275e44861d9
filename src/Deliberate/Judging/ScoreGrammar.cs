using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Deliberate.Judging;

/// <summary>
/// A score from 0 to 10: <c>{"score": 7}</c>, "Score: 7/10", "Rating: seven", "Verdict: fail", or a number alone. Immutable.
/// </summary>
internal sealed partial class ScoreGrammar : VerdictGrammar
{
    /// <summary>The highest score that is asked for.</summary>
    public const int Best = 10;

    private static readonly string[] Numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    private static readonly HashSet<string> Good = ["pass", "passes", "passed", "good", "compliant", "acceptable", "safe"];

    /// <inheritdoc/>
    public override VerdictClaim? Of(JsonElement json, string raw)
    {
        if (Property(json, "score") is not { } score) return null;
        return Number(score) is { } number ? Claim(number.Value, number.Of, raw, json) : new(null, raw, json, Unparsable("the score is not a number"));
    }

    /// <inheritdoc/>
    public override IEnumerable<VerdictClaim> Of(string text)
    {
        var found = false;
        foreach (Match match in Labelled().Matches(text))
        {
            found = true;
            yield return match.Groups["word"] is { Success: true } word
                ? Claim(Array.IndexOf(Numbers, word.Value.ToLowerInvariant()), null, match.Value, null)
                : Claim(Parsed(match.Groups["number"]), match.Groups["of"].Success ? Parsed(match.Groups["of"]) : null, match.Value, null);
        }

        foreach (Match match in Worded().Matches(text))
        {
            found = true;
            yield return new(Good.Contains(match.Groups["word"].Value.ToLowerInvariant()) ? 1 : 0, match.Value);
        }

        if (!found && Alone().Match(text) is { Success: true } alone)
            yield return Claim(Parsed(alone.Groups["number"]), alone.Groups["of"].Success ? Parsed(alone.Groups["of"]) : null, alone.Value, null);
    }

    /// <summary>A score of 0 to 10, or of what it is out of, as a share.</summary>
    public static double? Share(double value, double? of) => (of ?? Best) is > 0 and var best && value >= 0 && value <= best ? value / best : null;

    private static VerdictClaim Claim(double value, double? of, string raw, JsonElement? json) =>
        Share(value, of) is { } share ? new(share, raw, json)
            : new(null, raw, json, Verdict.Unscored(VerdictKinds.OutOfRange, string.Create(CultureInfo.InvariantCulture, $"the score is not between 0 and {of ?? Best}")));

    private static double Parsed(Group group) => double.Parse(group.Value, NumberStyles.Float, CultureInfo.InvariantCulture);

    // A range ("7-8"), a figure that goes on in other digits and a quoted key are no score.
    [GeneratedRegex(
        @"\b(?:score|rating|grade)\b[ \t*_`:=]*(?:(?:is|of)\s+)?(?>(?<number>[+-]?[0-9]+(?:\.[0-9]+)?)(?:\s*(?:/|out\s+of)\s*(?<of>[0-9]+))?|(?<word>zero|one|two|three|four|five|six|seven|eight|nine|ten)\b)(?!\.?\w|\s*[-\u2013/]\s*[0-9]|\p{Cf})",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Labelled();

    [GeneratedRegex(
        @"\bverdict\b[ \t*_`:=]*(?:is\s+)?(?<word>pass(?:es|ed)?|fail(?:s|ed)?|good|bad|compliant|non-?compliant|acceptable|unacceptable|safe|unsafe)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Worded();

    [GeneratedRegex(@"^[\s*_`]*(?<number>[0-9]+(?:\.[0-9]+)?)(?:\s*/\s*(?<of>[0-9]+))?[\s*_`]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Alone();
}
