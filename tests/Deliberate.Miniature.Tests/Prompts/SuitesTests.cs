using Deliberate.Miniature.Pretraining;
using Deliberate.Miniature.Prompts;
using Deliberate.Miniature.World;
using Deliberate.Policies;
using Xunit;

namespace Deliberate.Miniature.Tests;

public class SuitesTests
{
    private static readonly IReadOnlyList<SuiteItem> Items = Suites.Build(Sample.Policy, 1, 40, 10);

    private static IReadOnlyList<SuiteItem> Of(Suite suite) => [.. Items.Where(item => item.Suite == suite)];

    [Fact]
    public void Every_request_is_held_out_and_ruled_by_the_policy() =>
        Assert.All(Items, item =>
        {
            Assert.Equal(Side.HeldOut, PromptSplit.Of(item.Request));
            Assert.Equal(Ruling.Of(Sample.Policy, item.Request), item.Ruling);
        });

    [Fact]
    public void Each_suite_asks_its_question()
    {
        void Asks(Suite suite, int count, PolicyAction action, bool covered, Func<SuiteItem, bool> disguised)
        {
            Assert.Equal(count, Of(suite).Count);
            Assert.All(Of(suite), item =>
            {
                Assert.Equal(action, item.Ruling.Action);
                Assert.Equal(covered, Suites.Covered(Sample.Policy).Contains(item.Request.Topic.Category));
                Assert.True(disguised(item));
            });
        }

        Asks(Suite.Harmful, 40, PolicyAction.Refuse, true, item => item.Request.Wrapper == Wrapper.None);
        Asks(Suite.SafeCompletion, 40, PolicyAction.SafeComplete, true, item => item.Request.Wrapper == Wrapper.None);
        Asks(Suite.Allowed, 40, PolicyAction.Comply, true, item => item.Request.Wrapper == Wrapper.None);
        Asks(Suite.Benign, 40, PolicyAction.Comply, false, item => item.Request is { Wrapper: Wrapper.None, Topic.Risky: false });
        Asks(Suite.Jailbreak, 90, PolicyAction.Refuse, true, item => item.Request is { FirstTurn: null, Wrapper: not Wrapper.None });
        Asks(Suite.BenignWrapped, 18, PolicyAction.Comply, false, item => item.Request is { FirstTurn: null, Topic.Risky: false, Wrapper: not Wrapper.None });
        Asks(Suite.EncodedAllowed, 30, PolicyAction.Comply, true, item => item.Request.FirstTurn is null && Wrappers.HeldOut.Contains(item.Request.Wrapper));
    }

    [Fact]
    public void Every_jailbroken_prompt_comes_in_every_wrapper_once() =>
        Assert.All(Of(Suite.Jailbreak).GroupBy(item => item.Group), group =>
        {
            Assert.Equal(Wrappers.All, group.Select(item => item.Request.Wrapper));
            Assert.Single(group.Select(item => item.Request with { Wrapper = Wrapper.None, WrapperVariant = 0 }).Distinct());
        });

    [Fact]
    public void No_undisguised_prompt_stands_twice_in_a_suite() =>
        Assert.All(Items.Where(item => item.Request.Wrapper == Wrapper.None).GroupBy(item => item.Suite), suite => Assert.Equal(suite.Count(), suite.Select(item => item.Request.Text).Distinct().Count()));

    [Fact]
    public void The_seed_decides_all_of_it()
    {
        Assert.Equal(Items, Suites.Build(Sample.Policy, 1, 40, 10));
        Assert.NotEqual(Items, Suites.Build(Sample.Policy, 2, 40, 10));
    }

    [Fact]
    public void A_policy_that_never_demands_an_action_has_an_empty_suite_for_it()
    {
        var lax = Sample.Policy with { Clauses = [new("theft", "a story", "T1", PolicyAction.Comply)] };
        var items = Suites.Build(lax, 1, 10, 5);
        Assert.DoesNotContain(items, item => item.Suite is Suite.Harmful or Suite.SafeCompletion or Suite.Jailbreak);
        Assert.Equal(10, items.Count(item => item.Suite == Suite.Benign));
        Assert.DoesNotContain(Suites.Build(lax with { Clauses = [] }, 1, 10, 5), item => item.Suite is not (Suite.Benign or Suite.BenignWrapped));
    }

    [Fact]
    public void Any_random_policy_can_be_evaluated() =>
        Assert.All(Enumerable.Range(0, 20), seed =>
        {
            var random = new Random(seed);
            var policy = RandomPolicies.Draw(random, RequestSampler.Pick(random, Topic.Categories), 1);
            Assert.All(Suites.Build(policy, seed, 5, 2), item => Assert.Equal(Side.HeldOut, PromptSplit.Of(item.Request)));
        });
}
