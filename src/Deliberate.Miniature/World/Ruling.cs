using Deliberate.Policies;

namespace Deliberate.Miniature.World;

/// <summary>What a policy demands for one request: the oracle's judgement of what would be right.</summary>
/// <param name="Action">The demanded action; a request that no clause covers is answered.</param>
/// <param name="Clause">The clause that decides, or null.</param>
/// <param name="ExceptionHolds">Whether its exception holds; null when it has none.</param>
public sealed record Ruling(PolicyAction Action, WorldClause? Clause, bool? ExceptionHolds)
{
    /// <summary>Applies <paramref name="policy"/> to <paramref name="request"/>; without a policy everything is answered.</summary>
    public static Ruling Of(WorldPolicy? policy, Request request)
    {
        var clause = policy?.Deciding(request);
        if (clause is null) return new(PolicyAction.Comply, null, null);
        if (clause.Exception is not { } exception) return new(clause.Action, clause, null);
        var holds = exception.Holds(request.Persona);
        return new(holds ? exception.Action : clause.Action, clause, holds);
    }
}
