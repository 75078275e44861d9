using CsCheck;
using Deliberate.Inference.Generation;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

public class SamplerTests
{
    private static readonly float[] Logits = [1.5f, -2, 0.3f, 3, 3, -0.7f, 2.2f, 0, 1.1f, -1, 2.9f, 0.5f, 0.5f, -3, 1];

    [Fact]
    public void Temperature_zero_takes_the_largest_and_of_equals_the_lowest_id()
    {
        Assert.Equal(3, Choose(Logits, new() { Prompt = [], Temperature = 0 }, 5).Token);
        Gen.Int[0, 5].Select(value => (float)value).Array[1, 40].Sample(logits => Assert.Equal(Array.IndexOf(logits, logits.Max()), Choose(logits, new() { Prompt = [], Temperature = 0 }, 1).Token));
    }

    [Fact]
    public void The_log_probability_is_that_of_temperature_one_whatever_was_sampled_with() =>
        Gen.Select(Gen.Single[-9, 9].Array[1, 40], Gen.OneOf(0f, 0.3f, 1f, 2f), Gen.OneOf(1f, 0.8f), Gen.Int[0, 3], Gen.Int).Sample((logits, temperature, topP, topK, seed) =>
        {
            var (token, logProb) = Choose(logits, new() { Prompt = [], Temperature = temperature, TopP = topP, TopK = topK, Seed = seed }, 7);
            Assert.Equal(Math.Log(Softmax(logits, 1)[token]), logProb, 1e-4);
        });

    [Theory]
    [InlineData(1f)]
    [InlineData(0.5f)]
    [InlineData(2f)]
    public void Samples_are_distributed_as_softmax_over_seeds(float temperature) =>
        AssertFits(Softmax(Logits, temperature), seed => Choose(Logits, new() { Prompt = [], Temperature = temperature, Seed = seed }, 11).Token);

    [Fact]
    public void Samples_are_distributed_as_softmax_over_positions() =>
        AssertFits(Softmax(Logits, 1), position => Choose(Logits, new() { Prompt = [], Temperature = 1, Seed = 3 }, position).Token);

    [Fact]
    public void Neighbouring_positions_are_independent()
    {
        // Pairs of two evenly likely tokens.
        float[] logits = [0, 0];
        AssertFits([0.25, 0.25, 0.25, 0.25], seed =>
            2 * Choose(logits, new() { Prompt = [], Seed = seed }, 20).Token + Choose(logits, new() { Prompt = [], Seed = seed }, 21).Token);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(15)]
    [InlineData(99)]
    public void Top_k_samples_the_k_likeliest_in_proportion(int k)
    {
        var order = Enumerable.Range(0, Logits.Length).OrderByDescending(i => Logits[i]).ThenBy(i => i).Take(k).ToArray();
        AssertFits(Kept(order, 1), seed => Choose(Logits, new() { Prompt = [], TopK = k, Seed = seed }, 11).Token);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.2f)]
    [InlineData(0.5f)]
    [InlineData(0.9f)]
    [InlineData(0.99f)]
    public void Top_p_samples_the_fewest_that_reach_p_in_proportion(float p)
    {
        foreach (var temperature in (float[])[1, 2])
        {
            var probabilities = Softmax(Logits, temperature);
            var order = Enumerable.Range(0, Logits.Length).OrderByDescending(i => Logits[i]).ThenBy(i => i).ToArray();
            var count = 1;
            while (order[..count].Sum(i => probabilities[i]) < p) count++;
            AssertFits(Kept(order[..count], temperature), seed => Choose(Logits, new() { Prompt = [], TopP = p, Temperature = temperature, Seed = seed }, 11).Token);
        }
    }

    [Fact]
    public void Top_p_counts_within_top_k()
    {
        var order = Enumerable.Range(0, Logits.Length).OrderByDescending(i => Logits[i]).ThenBy(i => i).Take(4).ToArray();
        var shares = Kept(order, 1);
        var count = 1;
        while (order[..count].Sum(i => shares[i]) < 0.7) count++;
        AssertFits(Kept(order[..count], 1), seed => Choose(Logits, new() { Prompt = [], TopK = 4, TopP = 0.7f, Seed = seed }, 11).Token);
    }

    [Fact]
    public void Every_choice_is_a_token_whatever_the_logits() =>
        Gen.Select(Gen.Single[-100, 100].Array[1, 40], Gen.OneOf(1e-6f, 0.1f, 1f, 50f), Gen.OneOf(1f, 0.5f, 0f), Gen.Int[0, 50], Gen.Int).Sample((logits, temperature, topP, topK, seed) =>
            Assert.InRange(Choose(logits, new() { Prompt = [], Temperature = temperature, TopP = topP, TopK = topK, Seed = seed }, 1).Token, 0, logits.Length - 1));

    private static (int Token, float LogProb) Choose(float[] logits, GenerationRequest request, int position) => Sampler.Choose((float[])logits.Clone(), request, position);

    private static double[] Softmax(float[] logits, double temperature)
    {
        var weights = logits.Select(logit => Math.Exp((logit - logits.Max()) / temperature)).ToArray();
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    private static double[] Kept(int[] tokens, double temperature)
    {
        var all = Softmax(Logits, temperature);
        var sum = tokens.Sum(token => all[token]);
        return [.. all.Select((share, token) => tokens.Contains(token) ? share / sum : 0)];
    }

    // Pearson's chi-square, with seeds that never change: far beyond what chance gives once in ten thousand.
    private static void AssertFits(double[] expected, Func<int, int> sample)
    {
        const int Draws = 20_000;
        var counts = new int[expected.Length];
        for (var i = 0; i < Draws; i++) counts[sample(i)]++;
        double chi = 0;
        var degrees = -1;
        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i] == 0)
            {
                Assert.Equal(0, counts[i]);
                continue;
            }

            chi += Math.Pow(counts[i] - Draws * expected[i], 2) / (Draws * expected[i]);
            degrees++;
        }

        Assert.True(chi <= degrees + 4 * Math.Sqrt(2 * degrees) + 2, $"chi-square {chi:F1} with {degrees} degrees of freedom");
    }
}
