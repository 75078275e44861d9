using System.Text.RegularExpressions;

namespace Deliberate.Policies;

/// <summary>What a clause's text says of its subject and its exception.</summary>
/// <param name="Subject">The lead: the words before the first colon, or else the first sentence.</param>
/// <param name="Exception">The exception, or null.</param>
/// <param name="Rest">The text without the exception.</param>
/// <param name="Problem">What is wrong with it and how to mend it, or null.</param>
internal sealed partial record ClauseText(string Subject, ClauseException? Exception, string Rest, string? Problem)
{
    // Longer than any condition; keeps reading linear whatever the text.
    private const int Longest = 400;

    /// <summary>Reads a clause's text, in one line.</summary>
    public static ClauseText Read(string text)
    {
        var found = new List<(ClauseException Exception, int Start, int End)>();
        string? problem = null;
        foreach (Match match in OnlyFor().Matches(text))
        {
            var end = SentenceEnd(text, match.Groups["action"].Index);
            var words = text[match.Groups["action"].Index..end];
            if (ActionWords.Read(words) is { } action) found.Add((new(match.Groups["condition"].Value.Trim(), action, Otherwise: true), match.Index, End(text, end)));
            else problem ??= $"'{Short(words)}' after 'else' is no action; write 'only for CONDITION, else {ActionWords.Known}.'";
        }

        foreach (Match match in Opening().Matches(text))
        {
            var end = SentenceEnd(text, match.Index);
            var sentence = text[(match.Index + match.Length)..end];
            // "If in doubt, refuse" is advice; with a colon it is a condition.
            var comma = match.Value[0] is 'U' or 'u' or 'E' or 'e';
            if ((Split(sentence, ':') ?? (comma ? Split(sentence, ',') : null)) is { } exception) found.Add((exception, match.Index, End(text, end)));
            else if (match.Value[0] is 'U' or 'E') problem ??= $"the exception '{match.Value}{Short(sentence)}' names no action; write 'Unless CONDITION: ACTION.' with {ActionWords.Known}";
        }

        if (found.Count > 1) problem ??= "the clause has two exceptions; split it into two clauses with a code each";
        if (problem is not null || found.Count == 0) return new(Lead(text), null, text, problem);
        var (only, from, to) = found[0];
        var head = text[..from].TrimEnd(' ', ',', ';', '(');
        if (head.EndsWith(':')) head = head[..^1].TrimEnd();
        var tail = text[to..].Trim();
        var rest = head.Length == 0 ? tail : (char.IsAsciiLetterOrDigit(head[^1]) ? head + "." : head) + (tail.Length > 0 ? " " + tail : "");
        return rest.Length == 0 ? new("", only, text, "the clause says nothing but an exception; name what it is about first") : new(Lead(rest), only, rest, null);
    }

    /// <summary>The words of a condition that is left when the exception is taken out and so was not read as one ("unless", "only for"), or null.</summary>
    public string? LooseCondition => Loose().Match(Rest) is { Success: true } match ? match.Value : null;

    // "the user is a nurse: comply" at the first mark that an action follows.
    private static ClauseException? Split(string sentence, char mark)
    {
        for (var cut = sentence.IndexOf(mark, StringComparison.Ordinal); cut >= 0; cut = sentence.IndexOf(mark, cut + 1))
            if (sentence[..cut].Trim() is { Length: > 0 } condition && ActionWords.Read(sentence[(cut + 1)..]) is { } action) return new(condition, action);
        return null;
    }

    private static string Lead(string text)
    {
        var sentence = FirstSentence().Match(text) is { Success: true } end ? text[..end.Index] : text.TrimEnd('.', '!', '?');
        var colon = LeadColon().Match(sentence);
        return Emphasis().Replace(colon.Success ? sentence[..colon.Index] : sentence, "").Trim();
    }

    private static int SentenceEnd(string text, int start)
    {
        var last = Math.Min(text.Length, start + Longest);
        for (var i = start; i < last; i++)
            if (text[i] is '.' or '!' or '?' or ';' && (i + 1 == text.Length || text[i + 1] is ' ' or ')')) return i;
        return last;
    }

    // Past the sentence's full stop.
    private static int End(string text, int end) => end < text.Length && text[end] is '.' or '!' or '?' or ';' ? end + 1 : end;

    private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "…";

    [GeneratedRegex(@"\b(?:unless|except (?:if|when|where|for))\b|(?<=[.;!?)] )(?:if|when)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Opening();

    [GeneratedRegex(@"\b(?:allowed )?only (?:for|to|by|from|when|if) (?<condition>[^.;:]{1,200}?) ?[.,;:–—-]? ?\b(?:else|otherwise)\b[,:]? ?(?<action>)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex OnlyFor();

    [GeneratedRegex(@"\b(?:unless|except (?:if|when|where|for)|only (?:for|to|by|from|when|if))\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Loose();

    [GeneratedRegex(@"[.!?](?= \p{Lu})", RegexOptions.CultureInvariant)]
    private static partial Regex FirstSentence();

    [GeneratedRegex(@":(?= |$|\*)", RegexOptions.CultureInvariant)]
    private static partial Regex LeadColon();

    [GeneratedRegex(@"[*`]+|\b_+|_+\b", RegexOptions.CultureInvariant)]
    private static partial Regex Emphasis();
}
