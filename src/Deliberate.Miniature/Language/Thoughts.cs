using Deliberate.Miniature.World;

namespace Deliberate.Miniature.Language;

/// <summary>
/// Writes the chain of thought: read the request (through its disguise), name the category, quote the clause with its code,
/// test the exception, decide. Each sentence states the key that the next one looks up.
/// </summary>
public static class Thoughts
{
    /// <summary>The thought under a policy.</summary>
    public static string Under(WorldPolicy policy, Request request)
    {
        var ruling = Ruling.Of(policy, request);
        return $"{Reading(request)} {Lookup(policy, request)} So I {Styles.Decision(ruling.Action, policy)}.";
    }

    /// <summary>The thought when no policy is given.</summary>
    public static string Free(Request request) => $"{Reading(request)} No policy is given. So I comply.";

    /// <summary>"Behind the role-play, the user is a nurse and asks for a story about a robbery."</summary>
    public static string Reading(Request request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var opening = request.Wrapper == Wrapper.None ? "The user" : $"Behind the {request.Wrapper.Name()}, the user";
        var persona = request.Persona is null ? "" : $" {request.Persona.Being} and";
        return $"{opening}{persona} {request.Act.Verb} {request.Act.Name} about {request.Topic.Name}.";
    }

    /// <summary>
    /// The category, what the policy says on each subject that could decide ("On theft, asked by a nurse: nothing."), down to
    /// the clause that does, and its exception. Whether a clause exists is told right behind its key, where a match is continued or ends.
    /// </summary>
    public static string Lookup(WorldPolicy policy, Request request)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var ruling = Ruling.Of(policy, request);
        var category = request.Topic.Category;
        var text = new System.Text.StringBuilder($"This falls under {category}.");
        foreach (var subject in WorldPolicy.Subjects(request))
        {
            if (ruling.Clause?.Subject == subject) break;
            text.Append($" On {category}, {subject}: nothing.");
        }

        if (ruling.Clause is not { } clause) return text.ToString();
        text.Append($" On {clause.Line}");
        if (clause.Exception is not { } exception) return text.ToString();
        return text.Append(ruling.ExceptionHolds == true ? $" The user {request.Persona!.Being}, so the exception holds: {Policies.PolicyActions.ToText(exception.Action)}."
            : $" The user {request.Persona?.Being ?? "says nothing"}, so the exception does not hold: {Policies.PolicyActions.ToText(clause.Action)}.").ToString();
    }
}
