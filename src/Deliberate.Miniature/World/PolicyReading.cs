using Deliberate.Policies;

namespace Deliberate.Miniature.World;

/// <summary>
/// Reads a written policy as the miniature world understands it: each clause becomes one line for every act or kind of user that its lead
/// names. Any policy works whose categories, clauses and conditions speak of the world; <c>docs/policies.md</c> lists the words. Stateless, safe for threads.
/// </summary>
public static class PolicyReading
{
    /// <summary>Compiles a policy. Clauses about users come first in their category, as they take precedence; the others follow in the policy's order.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="warnings">Told in one line each of what had to be guessed; null to ignore.</param>
    /// <exception cref="PolicyException">
    /// A category, clause or condition speaks of nothing in the world or cannot be said in it, or two clauses demand different things of one subject.
    /// </exception>
    public static WorldPolicy Read(Policy policy, ICollection<string>? warnings = null)
    {
        var (refusal, safe) = PolicyReadingStyles.Read(policy, warnings);
        var clauses = new List<WorldClause>();
        foreach (var (name, category) in Categories(policy)) clauses.AddRange(Lines(policy, name, category, warnings).OrderBy(line => Act.Find(line.Subject) is not null));
        return new(clauses, refusal, safe);
    }

    /// <summary>The policy's category for each of the world's that it covers, by the world's name.</summary>
    /// <exception cref="PolicyException">A category is none of the world's, or could be several, or two are the same one.</exception>
    public static IReadOnlyDictionary<string, Category> Categories(Policy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var categories = new Dictionary<string, Category>();
        foreach (var category in policy.Categories)
        {
            var named = PolicyReadingVocabulary.Categories(category.Id) is [var byId] ? [byId] : PolicyReadingVocabulary.Categories(category.Title);
            if (named is not [var name])
                throw Error(policy, category.File, 1, named.Count == 0
                    ? $"neither the file's name nor its title names a category of the world; known are {string.Join(", ", Topic.Categories)}"
                    : $"the title '{category.Title}' could be {string.Join(" or ", named)}; name the file after one of them");
            if (!categories.TryAdd(name, category)) throw Error(policy, category.File, 1, $"this is about {name}, as {categories[name].File} is; merge the two files");
        }

        return categories;
    }

    private static IEnumerable<WorldClause> Lines(Policy policy, string name, Category category, ICollection<string>? warnings)
    {
        var first = new Dictionary<string, (WorldClause Line, Clause Clause)>();
        foreach (var clause in category.Clauses)
        {
            var (action, exemption) = Demand(policy, clause);
            foreach (var subject in Subjects(policy, clause, warnings))
            {
                var line = new WorldClause(name, subject, clause.Code, action, exemption);
                if (first.TryAdd(subject, (line, clause))) yield return line;
                else if (first[subject] is var earlier && (earlier.Line.Action != action || earlier.Line.Exception != exemption))
                    throw Error(policy, clause.File, clause.Line,
                        $"{clause.Code} and {earlier.Clause.Code} (line {earlier.Clause.Line}) both rule on {subject} and demand different things; name another subject in one, or make one the exception of the other");
            }
        }
    }

    private static IReadOnlyList<string> Subjects(Policy policy, Clause clause, ICollection<string>? warnings)
    {
        var found = PolicyReadingVocabulary.Subjects(clause.Subject);
        if (found is { Subjects.Count: 0, Clash: null, Negated: false }) found = PolicyReadingVocabulary.Subjects(clause.Rule);
        if (found.Clash is { } clash)
            throw Error(policy, clause.File, clause.Line,
                $"'{clash}' in {clause.Code} names an act and a user in one breath, and a clause here rules on one of them; name the act alone and write the user as 'Unless the user …: ACTION.'");
        if (found.Subjects.Count == 0)
            throw Error(policy, clause.File, clause.Line, $"{clause.Code} names no act or user of the world before its colon ('{clause.Subject}'); known acts are {KnownActs}; known users are {KnownUsers}");
        if (found.Doubt is { } doubt) warnings?.Add($"{Path.Combine(policy.Folder, clause.File)}:{clause.Line}: '{doubt}' in {clause.Code} is read as {found.Subjects[0]}, whoever asks.");
        return found.Subjects;
    }

    // "Unless X: B" under A is A, unless X: B. "Only for X, else B" under A is B, unless X: A. A negated X turns either round.
    private static (PolicyAction Action, Exemption? Exemption) Demand(Policy policy, Clause clause)
    {
        if (PolicyReadingVocabulary.LooseCondition(clause.Rule) is { } loose)
            throw Error(policy, clause.File, clause.Line, $"the condition '{loose}' of {clause.Code} names no action; write 'Unless the user …: ACTION.' or 'only for …, else ACTION.'");
        if (clause.Exception is not { } exception) return (clause.Action, null);
        var (beings, negated) = PolicyReadingVocabulary.Beings(exception.Condition);
        if (beings is not [var being])
            throw Error(policy, clause.File, clause.Line, beings.Count == 0
                ? $"the condition '{exception.Condition}' of {clause.Code} names no user of the world; known are {string.Join(", ", PolicyReadingVocabulary.KnownBeings)}"
                : $"the condition '{exception.Condition}' of {clause.Code} names several users ({string.Join(", ", beings)}); a clause here can depend on one, or on any professional");
        // An exception that changes nothing is no exception.
        if (exception.Action == clause.Action) return (clause.Action, null);
        return exception.Otherwise != negated ? (exception.Action, new(being, clause.Action)) : (clause.Action, new(being, exception.Action));
    }

    private static string KnownActs => string.Join(", ", Act.All.Select(act => act.Name));

    private static string KnownUsers => string.Join(", ", Persona.All.Select(persona => persona.ClauseTitle).Append(WorldPolicy.ProfessionalTitle));

    private static PolicyException Error(Policy policy, string file, int line, string problem) => new(Path.Combine(policy.Folder, file), line, problem);
}
