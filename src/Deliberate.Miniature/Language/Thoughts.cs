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

    /// <summary>The category, the deciding clause and its exception, in sentences.</summary>
    public static string Lookup(WorldPolicy policy, Request request)
    {
        var ruling = Ruling.Of(policy, request);
        var category = request.Topic.Category;
        if (ruling.Clause is not { } clause) return $"This falls under {category}. No clause covers {category}, {request.Act.Name}.";
        var quote = $"This falls under {category}. The policy says {clause.Line}";
        return clause.Exception is not { } exception ? quote
            : ruling.ExceptionHolds == true ? $"{quote} The user {request.Persona!.Being}, so the exception holds: {Policies.PolicyActions.ToText(exception.Action)}."
            : $"{quote} The user {request.Persona?.Being ?? "says nothing"}, so the exception does not hold: {Policies.PolicyActions.ToText(clause.Action)}.";
    }
}
