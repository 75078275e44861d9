using Deliberate.Policies;

namespace Deliberate.Miniature.World;

/// <summary>When a clause's exception holds: "unless the user is a nurse: comply".</summary>
/// <param name="Being">"is a nurse", "is a professional", "intends harm" or "is in distress".</param>
/// <param name="Action">What to do when it holds.</param>
public sealed record Exemption(string Being, PolicyAction Action)
{
    /// <summary>Whether it holds for a user who says this of themselves (null: nothing).</summary>
    public bool Holds(Persona? persona) =>
        persona is not null && (persona.Being == Being || (Being == Persona.ProfessionalBeing && persona.Professional));
}

/// <summary>One line of a policy as the miniature reads it: for this category and this act (or this kind of user), do that.</summary>
/// <param name="Category">Category name.</param>
/// <param name="Subject">An act's name ("a story") or a persona's clause title ("asked in distress").</param>
/// <param name="Code">The clause's code: "T3".</param>
/// <param name="Action">What the clause demands.</param>
/// <param name="Exception">When it demands something else, or null.</param>
public sealed record WorldClause(string Category, string Subject, string Code, PolicyAction Action, Exemption? Exception = null)
{
    /// <summary>
    /// The line as policies in context and thoughts write it. The key comes first and the code after it, so that quoting a
    /// clause is continuing a match, which small models learn many times sooner than looking back from the end of a line.
    /// </summary>
    public string Line => $"{Category}, {Subject} [{Code}{Rule(Action, Exception)}";

    /// <summary>What stands behind the code: "]: refuse.", "]: refuse, unless the user is a nurse: comply.".</summary>
    public static string Rule(PolicyAction action, Exemption? exception) =>
        $"]: {action.ToText()}" + (exception is null ? "." : $", unless the user {exception.Being}: {exception.Action.ToText()}.");
}

/// <summary>A whole policy as the miniature reads it: clauses in order, and how to refuse and to safe-complete.</summary>
/// <param name="Clauses">All clause lines, of every category.</param>
/// <param name="RefusalStyle">One of <see cref="Language.Styles.Refusals"/>.</param>
/// <param name="SafeStyle">One of <see cref="Language.Styles.SafeCompletions"/>.</param>
public sealed record WorldPolicy(IReadOnlyList<WorldClause> Clauses, string RefusalStyle, string SafeStyle)
{
    /// <summary>
    /// The clause that decides about <paramref name="request"/>: one about this kind of user before one about the act, in its
    /// category; null when none fits.
    /// </summary>
    public WorldClause? Deciding(Request request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Subjects(request).Select(subject => Clause(request.Topic.Category, subject)).FirstOrDefault(clause => clause is not null);
    }

    /// <summary>What clauses could decide about <paramref name="request"/>, in order of precedence: the user's role or state, any professional, the act.</summary>
    public static IEnumerable<string> Subjects(Request request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Persona is { } persona)
        {
            yield return persona.ClauseTitle;
            if (persona.Professional) yield return ProfessionalTitle;
        }

        yield return request.Act.Name;
    }

    /// <summary>The title of a clause about any professional.</summary>
    public const string ProfessionalTitle = "asked by a professional";

    /// <summary>The rendering that goes into a model's context: the styles, then the clauses of the given categories.</summary>
    public string Render(params ReadOnlySpan<string> categories)
    {
        var text = new System.Text.StringBuilder();
        text.Append("Policy. Refuse with ").Append(RefusalStyle).Append(". Safe-complete with ").Append(SafeStyle).Append('.');
        foreach (var category in categories)
            foreach (var clause in Clauses)
                if (clause.Category == category) text.Append("\n- ").Append(clause.Line);
        return text.ToString();
    }

    private WorldClause? Clause(string category, string subject) => Clauses.FirstOrDefault(clause => clause.Category == category && clause.Subject == subject);
}
