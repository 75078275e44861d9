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

    /// <summary>The whole policy: what stands in the prompt of a model that is told the policy and not the category.</summary>
    public static Spec Whole(WorldPolicy policy, string policyHash)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return new(policy.Render([.. Suites.Covered(policy)]), null, policyHash);
    }
}
