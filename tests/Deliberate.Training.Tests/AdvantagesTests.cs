using CsCheck;
using Deliberate.Training.Grpo;
using Xunit;

namespace Deliberate.Training.Tests;

public class AdvantagesTests
{
    private static readonly Gen<double?[]> Groups = Gen.Select(Gen.Bool, Gen.Double[-10, 10], (scored, reward) => scored ? (double?)reward : null).Array[0, 12];

    [Fact]
    public void Sum_to_zero_and_keep_the_order() => Gen.Select(Groups, Gen.Bool).Sample((rewards, normalise) =>
    {
        var advantages = Advantages.Of(rewards, normalise);
        Assert.Equal(rewards.Select(reward => reward is null), advantages.Select(advantage => advantage is null));
        Assert.Equal(0, advantages.Sum() ?? 0, 6);
        var pairs = rewards.Zip(advantages).Where(pair => pair.First is not null).OrderBy(pair => pair.First).ToArray();
        for (var i = 1; i < pairs.Length; i++) Assert.True(pairs[i - 1].Second <= pairs[i].Second);
    });

    [Fact]
    public void Unscored_completions_do_not_count() => Groups.Sample(rewards =>
        Assert.Equal(Advantages.Of([.. rewards.Where(reward => reward is not null)]), Advantages.Of(rewards).Where(advantage => advantage is not null)));

    [Fact]
    public void A_flat_group_teaches_nothing() => Gen.Select(Gen.Double[-10, 10], Gen.Int[1, 9], Gen.Bool).Sample((reward, count, normalise) =>
        Assert.All(Advantages.Of([.. Enumerable.Repeat((double?)reward, count)], normalise), advantage => Assert.Equal(0, advantage)));

    [Fact]
    public void Normalised_by_the_deviation()
    {
        var advantages = Advantages.Of([1, 0, 0.5, null, 1], normalise: true);
        Assert.Equal(0.375 / (Math.Sqrt(0.6875 / 3) + 1e-4), advantages[0]!.Value, 10);
        Assert.Null(advantages[3]);
    }

    [Fact]
    public void Refuses_rewards_that_are_not_finite() => Assert.Throws<ArgumentException>(() => Advantages.Of([1, double.NaN]));
}
