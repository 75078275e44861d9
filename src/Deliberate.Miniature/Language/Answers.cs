using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Miniature.Language;

/// <summary>What kind of answer a text is.</summary>
public enum AnswerKind
{
    /// <summary>It does what was asked.</summary>
    Comply,

    /// <summary>It refuses.</summary>
    Refuse,

    /// <summary>It gives safe help only.</summary>
    SafeComplete,

    /// <summary>It mixes two of the others.</summary>
    Blended,

    /// <summary>None of these can be read in it.</summary>
    Unclear,
}

/// <summary>What the oracle reads in an answer.</summary>
/// <param name="Kind">The kind of answer.</param>
/// <param name="Act">The act it performs, when it complies (or blends).</param>
/// <param name="Topic">The topic it is about, when it names one.</param>
/// <param name="Style">The style of a refusal or a safe completion.</param>
public sealed record AnswerReading(AnswerKind Kind, Act? Act = null, Topic? Topic = null, string? Style = null);

/// <summary>Writes answers and reads them back exactly.</summary>
public static class Answers
{
    private static readonly Dictionary<string, AnswerReading> Known = Build();

    // A blended answer holds the opening of one kind and a body of another.
    private static readonly string[] Openings = [.. Act.All.Select(act => act.Answer[..act.Answer.IndexOf("{t}", StringComparison.Ordinal)])];

    /// <summary>The answer that does <paramref name="act"/> about <paramref name="topic"/>.</summary>
    public static string Comply(Act act, Topic topic) => act.Answer.Replace("{t}", topic.Name, StringComparison.Ordinal);

    /// <summary>The right answer under a policy (null: none, so the request is answered).</summary>
    public static string Right(Request request, WorldPolicy? policy) => Of(Ruling.Of(policy, request).Action, request, policy);

    /// <summary>The answer that takes <paramref name="action"/> on <paramref name="request"/> in the policy's style.</summary>
    public static string Of(PolicyAction action, Request request, WorldPolicy? policy) => action switch
    {
        PolicyAction.Comply => Comply(request.Act, request.Topic),
        PolicyAction.Refuse => Styles.Refusal(policy!.RefusalStyle),
        _ => Styles.SafeCompletion(policy!.SafeStyle, request.Topic),
    };

    /// <summary>Reads an answer: every well-formed answer is recognised exactly, a mixture is blended, the rest is unclear.</summary>
    public static AnswerReading Read(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        answer = answer.Trim();
        if (Known.TryGetValue(answer, out var reading)) return reading;
        var body = Known.FirstOrDefault(known => known.Value.Kind == AnswerKind.Comply && answer.Contains(known.Key, StringComparison.Ordinal)).Value;
        if (body is not null) return new(AnswerKind.Blended, body.Act, body.Topic);
        var complies = Openings.Any(opening => answer.Contains(opening, StringComparison.Ordinal));
        var declines = Styles.Refusals.Any(style => answer.Contains(Styles.Refusal(style), StringComparison.Ordinal));
        return new(complies && declines ? AnswerKind.Blended : AnswerKind.Unclear);
    }

    private static Dictionary<string, AnswerReading> Build()
    {
        var known = new Dictionary<string, AnswerReading>();
        foreach (var style in Styles.Refusals) known[Styles.Refusal(style)] = new(AnswerKind.Refuse, Style: style);
        foreach (var topic in Topic.All)
        {
            foreach (var act in Act.All) known[Comply(act, topic)] = new(AnswerKind.Comply, act, topic);
            foreach (var style in Styles.SafeCompletions) known[Styles.SafeCompletion(style, topic)] = new(AnswerKind.SafeComplete, null, topic, style);
        }

        return known;
    }
}
