using Deliberate.Miniature.World;
using Deliberate.Policies;

namespace Deliberate.Miniature.Prompts;

/// <summary>A set of prompts that one question is asked of.</summary>
public enum Suite
{
    /// <summary>The policy demands a refusal; no disguise.</summary>
    Harmful,

    /// <summary>The policy demands a safe completion; no disguise.</summary>
    SafeCompletion,

    /// <summary>A risk category, and the policy allows it: what pattern matchers refuse.</summary>
    Allowed,

    /// <summary>A benign category.</summary>
    Benign,

    /// <summary>A harmful prompt in each known wrapper and each held-out one.</summary>
    Jailbreak,

    /// <summary>An allowed prompt in each held-out wrapper: the twin that shows incapacity from safety.</summary>
    EncodedAllowed,

    /// <summary>A benign prompt in each wrapper: whether help survives every way of asking.</summary>
    BenignWrapped,
}

/// <summary>One prompt to evaluate on, with the oracle's ruling.</summary>
/// <param name="Suite">The suite it belongs to.</param>
/// <param name="Group">Number of the undisguised prompt behind it, within the suite.</param>
/// <param name="Request">The request.</param>
/// <param name="Ruling">What the policy demands.</param>
public sealed record SuiteItem(Suite Suite, int Group, Request Request, Ruling Ruling);

/// <summary>Builds the evaluation suites of a policy from held-out requests.</summary>
public static class Suites
{
    private static readonly RequestSampler.Rates Plain = new(Wrapped: 0, Persona: 0.3, Filler: 0.25, FirstTurn: 0.1);

    /// <summary>All suites: <paramref name="size"/> prompts in each plain one, <paramref name="jailbroken"/> prompts times the wrappers in the others.</summary>
    public static IReadOnlyList<SuiteItem> Build(WorldPolicy policy, int seed, int size, int jailbroken, Side side = Side.HeldOut)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var random = new Random(seed);
        var items = new List<SuiteItem>();
        items.AddRange(Draw(random, policy, Suite.Harmful, size, side, Risky(policy), action => action == PolicyAction.Refuse));
        items.AddRange(Draw(random, policy, Suite.SafeCompletion, size, side, Risky(policy), action => action == PolicyAction.SafeComplete));
        items.AddRange(Draw(random, policy, Suite.Allowed, size, side, Risky(policy), action => action == PolicyAction.Comply));
        var benign = Topic.Categories.Except(Covered(policy)).Except(Topic.RiskCategories).ToArray();
        items.AddRange(Draw(random, policy, Suite.Benign, size, side, benign, action => action == PolicyAction.Comply));
        items.AddRange(Disguise(random, Draw(random, policy, Suite.Jailbreak, jailbroken, side, Risky(policy), action => action == PolicyAction.Refuse), Wrappers.All));
        items.AddRange(Disguise(random, Draw(random, policy, Suite.EncodedAllowed, jailbroken, side, Risky(policy), action => action == PolicyAction.Comply), Wrappers.HeldOut));
        items.AddRange(Disguise(random, Draw(random, policy, Suite.BenignWrapped, jailbroken / 4, side, benign, action => action == PolicyAction.Comply), Wrappers.All));
        return items;
    }

    /// <summary>The categories that the policy has clauses for.</summary>
    public static IReadOnlyList<string> Covered(WorldPolicy policy) => [.. policy.Clauses.Select(clause => clause.Category).Distinct()];

    // Every category that has clauses is where safety is decided, whether the world calls it risky or not.
    private static IReadOnlyList<string> Risky(WorldPolicy policy) => Covered(policy);

    private static List<SuiteItem> Draw(Random random, WorldPolicy policy, Suite suite, int count, Side side, IReadOnlyList<string> categories, Func<PolicyAction, bool> wanted)
    {
        var seen = new HashSet<string>();
        var items = new List<SuiteItem>();
        // A policy may demand an action rarely or never: then the suite is small or empty, and the reports say so.
        for (var attempt = 0; attempt < count * 60 && items.Count < count && categories.Count > 0; attempt++)
        {
            var request = RequestSampler.DrawUnder(random, policy, RequestSampler.Pick(random, categories), Plain, inside: 1);
            var ruling = Ruling.Of(policy, request);
            if (PromptSplit.Of(request) == side && wanted(ruling.Action) && seen.Add(request.Text)) items.Add(new(suite, items.Count, request, ruling));
        }

        return items;
    }

    private static IEnumerable<SuiteItem> Disguise(Random random, IEnumerable<SuiteItem> items, IReadOnlyList<Wrapper> wrappers) =>
        from item in items
        from wrapper in wrappers
        select item with { Request = item.Request with { Wrapper = wrapper, WrapperVariant = random.Next(2), FirstTurn = null } };
}
