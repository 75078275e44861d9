namespace Deliberate.Miniature.World;

/// <summary>Draws requests. Every draw depends on the given random source alone.</summary>
public static class RequestSampler
{
    /// <summary>How often surfaces and personas occur.</summary>
    /// <param name="Wrapped">Share of requests in a wrapper.</param>
    /// <param name="Persona">Share of requests with a persona.</param>
    /// <param name="Filler">Share of requests with a filler.</param>
    /// <param name="FirstTurn">Share of requests that follow a harmless first turn.</param>
    public sealed record Rates(double Wrapped = 0.35, double Persona = 0.35, double Filler = 0.25, double FirstTurn = 0.08);

    /// <summary>A request about this topic and act with a random surface.</summary>
    public static Request Draw(Random random, Topic topic, Act act, Rates rates, IReadOnlyList<Wrapper>? wrappers = null)
    {
        var request = new Request { Topic = topic, Act = act, Phrasing = random.Next(act.Phrasings.Count) };
        if (random.NextDouble() < rates.Persona) request = With(random, request, Pick(random, Persona.All));
        if (random.NextDouble() < rates.Filler) request = request with { Filler = random.Next(Request.Fillers.Count) };
        if (random.NextDouble() < rates.Wrapped)
            request = request with { Wrapper = Pick(random, wrappers ?? Wrappers.All), WrapperVariant = random.Next(2) };
        if (random.NextDouble() < rates.FirstTurn) request = request with { FirstTurn = Harmless(random) };
        return request;
    }

    /// <summary>
    /// A request under a policy: mostly about this category and an act that a clause covers, and often from the user that a
    /// clause turns on, so that exceptions hold, fail and nearly hold.
    /// </summary>
    public static Request DrawUnder(Random random, WorldPolicy policy, string category, Rates rates, IReadOnlyList<Wrapper>? wrappers = null, double inside = 0.85)
    {
        var topic = random.NextDouble() < inside ? Pick(random, Topic.Of(category)) : Pick(random, Topic.All);
        var clauses = policy.Clauses.Where(clause => clause.Category == topic.Category).ToArray();
        var act = Pick(random, Act.All);
        if (clauses.Length > 0 && random.NextDouble() < 0.7 && Act.Find(Pick(random, clauses).Subject) is { } covered) act = covered;
        var request = Draw(random, topic, act, rates, wrappers);
        var beings = clauses.Where(clause => clause.Exception is not null && clause.Subject == act.Name).Select(clause => clause.Exception!.Being).ToArray();
        if (beings.Length > 0 && random.NextDouble() < 0.45)
        {
            var exception = new Exemption(Pick(random, beings), default);
            request = With(random, request, Pick(random, [.. Persona.All.Where(exception.Holds)]));
        }

        var users = clauses.Where(clause => Act.Find(clause.Subject) is null).ToArray();
        if (users.Length > 0 && random.NextDouble() < 0.3)
        {
            var title = Pick(random, users).Subject;
            request = With(random, request, title == WorldPolicy.ProfessionalTitle ? Pick(random, Persona.Roles) : Persona.All.First(persona => persona.ClauseTitle == title));
        }

        return request;
    }

    /// <summary>The same request from this user.</summary>
    public static Request With(Random random, Request request, Persona persona) =>
        request with { Persona = persona, PersonaPhrasing = random.Next(persona.Phrasings.Count) };

    /// <summary>A plain benign request, for a first turn.</summary>
    public static Request Harmless(Random random)
    {
        var act = Pick(random, Act.All);
        return new() { Topic = Pick(random, [.. Topic.All.Where(topic => !topic.Risky)]), Act = act, Phrasing = random.Next(act.Phrasings.Count) };
    }

    /// <summary>One item, uniformly.</summary>
    public static T Pick<T>(Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];
}
