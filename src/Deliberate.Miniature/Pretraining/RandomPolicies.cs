using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Miniature.Pretraining;

/// <summary>
/// Draws the policies that pretraining reads, a new one for every row, over risky and benign categories alike. What clause
/// stands for what is uniform, so the only way to follow such a policy is to read it.
/// </summary>
public static class RandomPolicies
{
    /// <summary>How rich the drawn policies are; grows with <c>progress</c> because lookup is learned from short policies first.</summary>
    public static WorldPolicy Draw(Random random, string category, double progress)
    {
        var (low, high) = progress < 0.12 ? (1, 3) : progress < 0.3 ? (2, 6) : (3, 11);
        var conditions = progress < 0.1 ? 0 : 0.4;
        var clauses = new List<WorldClause>();
        var prefixes = new HashSet<string>();
        clauses.AddRange(DrawCategory(random, prefixes, category, random.Next(low, high + 1), conditions));
        // Now and then a whole policy of many categories, as where nobody tells the model which one a request falls under.
        if (progress > 0.25 && random.NextDouble() < (progress < 1 ? 0.05 : 0.02))
        {
            var others = Topic.Categories.Where(other => other != category).ToArray();
            random.Shuffle(others);
            foreach (var other in others.Take(random.Next(3, 8))) clauses.AddRange(DrawCategory(random, prefixes, other, random.Next(2, 8), conditions));
            // In a shuffled order of categories, so that the first is not always the one that is asked about.
            var order = clauses.Select(clause => clause.Category).Distinct().ToArray();
            random.Shuffle(order);
            clauses = [.. order.SelectMany(name => clauses.Where(clause => clause.Category == name))];
        }
        else if (progress > 0.15 && random.NextDouble() < 0.15)
        {
            var other = RequestSampler.Pick(random, Topic.Categories);
            if (other != category) clauses.AddRange(DrawCategory(random, prefixes, other, random.Next(1, 4), conditions));
        }

        return new(clauses, RequestSampler.Pick(random, Styles.Refusals), RequestSampler.Pick(random, Styles.SafeCompletions));
    }

    /// <summary>The clauses of one category: about users first, then about acts.</summary>
    private static List<WorldClause> DrawCategory(Random random, HashSet<string> prefixes, string category, int acts, double conditions)
    {
        var prefix = NextPrefix(random, prefixes);
        var number = random.Next(0, 4);
        string NextCode()
        {
            number += random.Next(4) == 0 ? 2 : 1;
            if (number <= MiniatureTokenizer.MaxCode) return $"{prefix}{number}";
            (prefix, number) = (NextPrefix(random, prefixes), 1);
            return $"{prefix}{number}";
        }

        var clauses = new List<WorldClause>();
        if (conditions > 0 && random.NextDouble() < 0.35)
        {
            var title = random.Next(6) == 0 ? WorldPolicy.ProfessionalTitle
                : random.Next(3) > 0 ? RequestSampler.Pick(random, [Persona.Harm, Persona.Distress]).ClauseTitle
                : RequestSampler.Pick(random, Persona.Roles).ClauseTitle;
            clauses.Add(new(category, title, NextCode(), DrawAction(random)));
            if (random.Next(3) == 0)
            {
                var second = RequestSampler.Pick(random, [Persona.Harm, Persona.Distress]).ClauseTitle;
                if (second != title) clauses.Add(new(category, second, NextCode(), DrawAction(random)));
            }
        }

        var subjects = Act.All.ToArray();
        random.Shuffle(subjects);
        var lines = new List<WorldClause>();
        foreach (var act in subjects.Take(acts))
        {
            // Some clauses name several acts: their lines share code, action and exception.
            if (lines.Count > 0 && random.Next(6) == 0)
                lines.Add(lines[^1] with { Subject = act.Name });
            else
            {
                var action = DrawAction(random);
                lines.Add(new(category, act.Name, NextCode(), action, random.NextDouble() < conditions ? DrawException(random, action) : null));
            }
        }

        if (random.Next(2) == 0) lines = [.. lines.OrderBy(line => line.Action)];
        clauses.AddRange(lines);
        return clauses;
    }

    // A letter that no other clause of the policy uses; seldom two, so that codes in several tokens are seen too.
    private static string NextPrefix(Random random, HashSet<string> taken)
    {
        while (true)
        {
            var prefix = ((char)('A' + random.Next(26))).ToString();
            if (random.Next(50) == 0) prefix += (char)('A' + random.Next(26));
            if (taken.Add(prefix)) return prefix;
        }
    }

    private static PolicyAction DrawAction(Random random) => (PolicyAction)random.Next(3);

    private static Exemption DrawException(Random random, PolicyAction action)
    {
        var being = random.Next(8) switch
        {
            0 => Persona.ProfessionalBeing,
            1 or 2 => Persona.Harm.Being,
            3 => Persona.Distress.Being,
            _ => RequestSampler.Pick(random, Persona.Roles).Being,
        };
        return new(being, (PolicyAction)(((int)action + random.Next(1, 3)) % 3));
    }
}
