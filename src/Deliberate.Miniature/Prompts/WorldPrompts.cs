using System.Globalization;
using Deliberate.Conversations;
using Deliberate.Miniature.Language;
using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Miniature.Prompts;

/// <summary>Turns requests of the world into prompts of the method, and policies into the specifications that models read.</summary>
public static class WorldPrompts
{
    /// <summary>The request as a prompt. A harmless first turn stands before it with its answer.</summary>
    /// <param name="prefix">Names the set; the id is prefix-number.</param>
    /// <param name="number">Number within the set.</param>
    /// <param name="request">The request.</param>
    public static Prompt Of(string prefix, int number, Request request)
    {
        ArgumentNullException.ThrowIfNull(request);
        List<Turn> turns = [];
        if (request.FirstTurn is { } first) turns.AddRange([new(Role.User, first.Text), new(Role.Assistant, Answers.Comply(first.Act, first.Topic))]);
        turns.Add(new(Role.User, request.Text));
        return new(string.Create(CultureInfo.InvariantCulture, $"{prefix}-{number}"), new(turns), request.Topic.Category);
    }

    /// <summary>The requests as prompts, numbered in order.</summary>
    public static IReadOnlyList<Prompt> Of(string prefix, IReadOnlyList<Request> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        return [.. requests.Select((request, number) => Of(prefix, number, request))];
    }

    /// <summary>spec(category) as the miniature reads it: the styles and the clauses of this category (none where the policy has none for it).</summary>
    public static Spec Spec(WorldPolicy policy, string policyHash, string category)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return new(policy.Render(category), category, policyHash);
    }

    /// <summary>
    /// The whole policy, for a model that is told the policy and not the category. Where it does not fit into the model's window
    /// it is condensed, as the paper's baseline is (section 4.1): first without exceptions, then with as many categories as fit.
    /// </summary>
    /// <param name="policy">The policy.</param>
    /// <param name="policyHash">Hash of the policy.</param>
    /// <param name="fits">Whether a text fits.</param>
    /// <returns>The specification, and how it was condensed (null: not at all).</returns>
    public static (Spec Spec, string? Condensed) Whole(WorldPolicy policy, string policyHash, Func<string, bool> fits)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(fits);
        var categories = Suites.Covered(policy);
        (Spec, string?) Of(WorldPolicy from, int count, string? condensed) => (new(from.Render([.. categories.Take(count)]), null, policyHash), condensed);
        if (fits(policy.Render([.. categories]))) return Of(policy, categories.Count, null);
        var flat = policy with { Clauses = [.. policy.Clauses.Select(clause => clause with { Exception = null })] };
        var count = categories.Count;
        while (count > 0 && !fits(flat.Render([.. categories.Take(count)]))) count--;
        return Of(flat, count, count == categories.Count ? "without its exceptions" : $"without its exceptions and with {count} of its {categories.Count} categories");
    }
}
