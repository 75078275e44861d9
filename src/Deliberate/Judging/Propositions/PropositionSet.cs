namespace Deliberate.Judging.Propositions;

/// <summary>
/// Propositions and how they make a score. With weights, the score is the sum of the weights of what is true, from the least to the most it can be. Without, it
/// is the rank of the answer's class for the demanded response: 1 for the first, 0 for the last. Immutable.
/// </summary>
public sealed class PropositionSet
{
    private readonly string[] _order;

    /// <summary>A set.</summary>
    /// <param name="propositions">What is asked.</param>
    /// <param name="derived">What follows, each after those it refers to.</param>
    /// <param name="classes">Classes of answers; may be empty.</param>
    /// <param name="order">Names of the classes, best first.</param>
    /// <exception cref="ArgumentException">A name occurs twice or is unknown, or there is nothing to make a score of.</exception>
    public PropositionSet(IReadOnlyList<Proposition> propositions, IReadOnlyList<DerivedProposition>? derived = null, IReadOnlyList<CompletionClass>? classes = null, IReadOnlyList<string>? order = null)
    {
        ArgumentNullException.ThrowIfNull(propositions);
        (Propositions, Derived, Classes, _order) = (propositions, derived ?? [], classes ?? [], [.. order ?? []]);
        if (propositions.Count == 0) throw new ArgumentException("There is no proposition: give at least one.", nameof(propositions));
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var proposition in propositions)
        {
            if (!double.IsFinite(proposition.Weight)) throw new ArgumentException($"The weight of '{proposition.Name}' is not a number.", nameof(propositions));
            Add(known, proposition.Name);
        }

        foreach (var rule in Derived)
        {
            Require(known, rule.Name, rule.Conditions);
            Add(known, rule.Name);
        }

        foreach (var group in Classes)
        {
            Require(known, group.Name, group.Conditions);
            if (!_order.Contains(group.Name)) throw new ArgumentException($"The class '{group.Name}' has no place in the order of the classes: add it there.", nameof(classes));
        }

        if (!Weighted && Classes.Count == 0) throw new ArgumentException("No proposition has a weight and there are no classes: nothing makes a score.", nameof(propositions));
    }

    /// <summary>What is asked.</summary>
    public IReadOnlyList<Proposition> Propositions { get; }

    /// <summary>What follows.</summary>
    public IReadOnlyList<DerivedProposition> Derived { get; }

    /// <summary>Classes of answers.</summary>
    public IReadOnlyList<CompletionClass> Classes { get; }

    /// <summary>Whether weights make the score.</summary>
    public bool Weighted => Propositions.Any(proposition => proposition.Weight != 0) || Derived.Any(rule => rule.Weight != 0);

    /// <summary>The demanded responses that there are classes for.</summary>
    public IReadOnlyList<string> ResponseTypes => [.. Classes.Select(group => group.ResponseType).Distinct(StringComparer.Ordinal)];

    /// <summary>The score of an answer by its weights, from 0 to 1; null when a needed proposition has no answer.</summary>
    /// <param name="answers">What was found; null where it could not be read.</param>
    public double? Score(IReadOnlyDictionary<string, bool?> answers)
    {
        if (Complete(answers) is not { } all) return null;
        var weights = Propositions.Select(proposition => (proposition.Name, proposition.Weight)).Concat(Derived.Select(rule => (rule.Name, rule.Weight)))
            .Where(entry => entry.Weight != 0 && all.GetValueOrDefault(entry.Name) is not null).ToArray();
        var (least, most) = (weights.Sum(entry => Math.Min(0, entry.Weight)), weights.Sum(entry => Math.Max(0, entry.Weight)));
        if (most - least is 0) return null;
        return Math.Clamp((weights.Sum(entry => all[entry.Name]!.Value ? entry.Weight : 0) - least) / (most - least), 0, 1);
    }

    /// <summary>The score of an answer by its class, from 0 to 1; null when a needed proposition has no answer or no class fits.</summary>
    /// <param name="answers">What was found; null where it could not be read.</param>
    /// <param name="responseType">The demanded response.</param>
    public double? Score(IReadOnlyDictionary<string, bool?> answers, string responseType) =>
        Classify(answers, responseType) is not { } name ? null : _order.Length == 1 ? 1 : 1 - ((double)Array.IndexOf(_order, name) / (_order.Length - 1));

    /// <summary>The best class that fits, or null.</summary>
    /// <param name="answers">What was found; null where it could not be read.</param>
    /// <param name="responseType">The demanded response.</param>
    public string? Classify(IReadOnlyDictionary<string, bool?> answers, string responseType) => Complete(answers) is not { } all ? null
        : _order.FirstOrDefault(name => Classes.Any(group => group.Name == name && group.ResponseType == responseType && group.Conditions.All(condition => all.GetValueOrDefault(condition.Key) == condition.Value)));

    // All propositions, derived ones too; null when a needed one is missing.
    private Dictionary<string, bool?>? Complete(IReadOnlyDictionary<string, bool?> answers)
    {
        ArgumentNullException.ThrowIfNull(answers);
        var all = Propositions.ToDictionary(proposition => proposition.Name, proposition => answers.GetValueOrDefault(proposition.Name), StringComparer.Ordinal);
        if (Propositions.Any(proposition => proposition.Needed && all[proposition.Name] is null)) return null;
        foreach (var rule in Derived)
        {
            all[rule.Name] = rule.Conditions.Any(condition => all[condition.Key] == !condition.Value) ? false
                : rule.Conditions.All(condition => all[condition.Key] is not null) ? true
                : null;
        }

        return all;
    }

    private static void Add(HashSet<string> known, string name)
    {
        if (!known.Add(name)) throw new ArgumentException($"Two propositions are named '{name}': give each its own name.", nameof(name));
    }

    private static void Require(HashSet<string> known, string name, IReadOnlyDictionary<string, bool> conditions)
    {
        if (conditions.Keys.FirstOrDefault(key => !known.Contains(key)) is { } unknown)
            throw new ArgumentException($"'{name}' refers to '{unknown}', which is no proposition before it.", nameof(conditions));
    }
}
