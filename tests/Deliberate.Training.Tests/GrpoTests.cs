using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Deliberate.Training.Grpo;
using Xunit;

namespace Deliberate.Training.Tests;

public class GrpoTests
{
    private static readonly GrpoOptions Options = new() { LearningRate = 1e-3, ConstantLength = 4, WarmUpSteps = 0, Bf16 = false };
    private static readonly int[] Tokens = [3, 1, 4, 1, 5, 9, 2];

    [Theory]
    [InlineData(1.0)]
    [InlineData(-1.0)]
    public void The_advantage_decides_whether_a_rollout_becomes_likelier(double advantage)
    {
        using var trainer = new GrpoTrainer(Tiny.Weights(), Options);
        var before = LogProbability(trainer.Weights(), Tokens, 3);
        for (var i = 0; i < 5; i++) trainer.Step([new Rollout(Tokens, 3, advantage)]);
        Assert.True((LogProbability(trainer.Weights(), Tokens, 3) - before) * advantage > 0.1);
        Assert.Equal(5, trainer.Steps);
    }

    [Fact]
    public void A_policy_that_moved_is_pulled_back_by_the_penalty()
    {
        double Divergence(double coefficient)
        {
            using var trainer = new GrpoTrainer(Tiny.Weights(2), Options with { KlCoefficient = coefficient, LearningRate = 3e-4 }, reference: Tiny.Weights(1));
            var rollouts = Rollouts(4, advantage: 0);
            var first = trainer.Step(rollouts).Kl;
            for (var i = 0; i < 10; i++) trainer.Step(rollouts);
            return trainer.Step(rollouts).Kl / first;
        }

        Assert.True(Divergence(1) < 0.9);
    }

    [Fact]
    public void At_the_start_nothing_diverges_and_nothing_is_clipped()
    {
        using var trainer = new GrpoTrainer(Tiny.Weights(), Options with { KlCoefficient = 0.1 });
        var step = trainer.Step(Rollouts(4));
        Assert.Equal(0, step.Kl, 6);
        Assert.Equal(0, step.ClipShare);
        Assert.InRange(step.Entropy, 0.5, Math.Log(Tiny.Config.VocabSize));
        Assert.True(step.GradientNorm > 0);
        Assert.Equal(Rollouts(4).Sum(rollout => rollout.Tokens.Length), step.Tokens);
        Assert.Null(step.MixedLoss);
    }

    [Fact]
    public void Later_epochs_on_one_batch_meet_the_clip()
    {
        using var trainer = new GrpoTrainer(Tiny.Weights(), Options with { EpochsPerBatch = 8, LearningRate = 1e-2 });
        Assert.True(trainer.Step(Rollouts(4)).ClipShare > 0);
    }

    [Fact]
    public void Prompt_tokens_are_not_trained_on()
    {
        // With the completion's loss cut off (ratio far above the bound), nothing is left to move the policy.
        using var trainer = new GrpoTrainer(Tiny.Weights(), Options);
        var step = trainer.Step([new Rollout(Tokens, 3, 1) { LogProbabilities = [-50, -50, -50, -50] }]);
        Assert.Equal(0, step.GradientNorm);
        Assert.Equal(1, step.ClipShare);
        Tiny.AssertSame(Tiny.Weights(), trainer.Weights());
    }

    [Fact]
    public void Rollouts_without_advantage_are_skipped_but_count_in_the_average()
    {
        using var alone = new GrpoTrainer(Tiny.Weights(), Options);
        using var together = new GrpoTrainer(Tiny.Weights(), Options);
        var norm = alone.Step([new Rollout(Tokens, 3, 1)]).GradientNorm;
        Assert.Equal(norm / 2, together.Step([new Rollout(Tokens, 3, 1), new Rollout(Tokens, 2, 0)]).GradientNorm, 5);
    }

    [Fact]
    public void Nothing_to_learn_moves_nothing()
    {
        using var trainer = new GrpoTrainer(Tiny.Weights(), Options);
        Assert.Equal(0, trainer.Step(Rollouts(3, advantage: 0)).Tokens);
        Assert.Equal(0, trainer.Step([]).Loss);
        Tiny.AssertSame(Tiny.Weights(), trainer.Weights());
    }

    [Fact]
    public void Mixed_rows_are_learned()
    {
        using var trainer = new GrpoTrainer(Tiny.Weights(), Options with { SftWeight = 1 });
        var losses = Enumerable.Range(0, 10).Select(_ => trainer.Step(Rollouts(4), Tiny.Rows(2)).MixedLoss!.Value).ToArray();
        Assert.True(losses[^1] < losses[0] - 0.1);
    }

    [Fact]
    public void Micro_batches_do_not_change_the_step()
    {
        using var whole = new GrpoTrainer(Tiny.Weights(), Options with { KlCoefficient = 0.1 }, Tiny.Weights(2));
        using var parts = new GrpoTrainer(Tiny.Weights(), Options with { KlCoefficient = 0.1, MicroBatchTokens = 16 }, Tiny.Weights(2));
        var (a, b) = (whole.Step(Rollouts(6)), parts.Step(Rollouts(6)));
        Assert.Equal(a.Loss, b.Loss, 5);
        Assert.Equal(a.GradientNorm, b.GradientNorm, 4);
        Assert.Equal(a.Entropy, b.Entropy, 4);
    }

    [Theory]
    [InlineData(DecoderBody.Torch)]
    [InlineData(DecoderBody.Host)]
    public void Logits_in_chunks_do_not_change_the_step(DecoderBody body)
    {
        // Two completions of 260 tokens over a vocabulary of 40,000 are more logits than are kept whole.
        var config = Tiny.Config with { VocabSize = 40_000, MaxPositions = 600, Layers = 1 };
        var random = new Random(3);
        Rollout[] rollouts = [.. Enumerable.Range(0, 2).Select(i => new Rollout([.. Enumerable.Range(0, 261).Select(_ => random.Next(config.VocabSize))], 1, i == 0 ? 1 : -1))];
        GrpoStep Of(int microBatch)
        {
            using var trainer = new GrpoTrainer(Initialisation.Random(config, 1), Options with { KlCoefficient = 0.1, MicroBatchTokens = microBatch, Temperature = 0.8, Packing = body == DecoderBody.Torch }, Initialisation.Random(config, 2));
            return trainer.Step(rollouts);
        }

        var previous = Environment.GetEnvironmentVariable("DELIBERATE_TRAINING");
        Environment.SetEnvironmentVariable("DELIBERATE_TRAINING", body == DecoderBody.Torch ? "torch" : "host");
        try
        {
            var (whole, parts) = (Of(1_000), Of(300));
            Assert.Equal(parts.Loss, whole.Loss, 5);
            Assert.Equal(1, whole.GradientNorm / parts.GradientNorm, 1e-4);
            Assert.Equal(parts.Entropy, whole.Entropy, 4);
        }
        finally
        {
            Environment.SetEnvironmentVariable("DELIBERATE_TRAINING", previous);
        }
    }

    [Fact]
    public void A_resumed_run_of_adapters_ends_in_the_same_bytes()
    {
        using var folder = Tiny.Folder();
        var options = Options with { KlCoefficient = 0.05, Lora = new() { Rank = 4 } };
        using var unbroken = new GrpoTrainer(Tiny.Weights(), options);
        for (var i = 0; i < 4; i++) unbroken.Step(Rollouts(4, seed: i));
        using (var first = new GrpoTrainer(Tiny.Weights(), options))
        {
            for (var i = 0; i < 2; i++) first.Step(Rollouts(4, seed: i));
            first.Save(folder.Path);
        }

        using var second = new GrpoTrainer(Tiny.Weights(), options);
        Assert.True(second.TryResume(folder.Path));
        for (var i = 2; i < 4; i++) second.Step(Rollouts(4, seed: i));
        Tiny.AssertSame(unbroken.Weights(), second.Weights());
        using var other = new GrpoTrainer(Tiny.Weights(), options with { Lora = new() { Rank = 4, Seed = 2 } });
        Assert.Throws<InvalidDataException>(() => other.TryResume(folder.Path));
    }

    [Fact]
    public void A_resumed_run_ends_in_the_same_bytes()
    {
        using var folder = Tiny.Folder();
        var options = Options with { KlCoefficient = 0.05 };
        using var unbroken = new GrpoTrainer(Tiny.Weights(), options);
        for (var i = 0; i < 6; i++) unbroken.Step(Rollouts(4, seed: i), Tiny.Rows(2, i));

        using (var first = new GrpoTrainer(Tiny.Weights(), options))
        {
            Assert.False(first.TryResume(folder.Path));
            for (var i = 0; i < 3; i++) first.Step(Rollouts(4, seed: i), Tiny.Rows(2, i));
            first.Save(folder.Path);
        }

        using var second = new GrpoTrainer(Tiny.Weights(), options);
        Assert.True(second.TryResume(folder.Path));
        for (var i = (int)second.Steps; i < 6; i++) second.Step(Rollouts(4, seed: i), Tiny.Rows(2, i));
        Assert.Equal(6, second.Steps);
        Tiny.AssertSame(unbroken.Weights(), second.Weights());

        using var other = new GrpoTrainer(Tiny.Weights(9), options);
        Assert.Throws<InvalidDataException>(() => other.TryResume(folder.Path));
    }

    [Fact]
    public void Names_the_rollout_that_does_not_fit()
    {
        using var trainer = new GrpoTrainer(Tiny.Weights(), Options);
        void Refused(Rollout rollout, string expected) => Assert.Contains(expected, Assert.Throws<ArgumentException>(() => trainer.Step([rollout])).Message, StringComparison.Ordinal);
        Refused(new([1, 2], 2, 1), "Rollout 0: PromptLength is 2");
        Refused(new([1, 2], 0, 1), "PromptLength is 0");
        Refused(new([1, 99], 1, 1), "token 99");
        Refused(new([1, 2], 1, double.NaN), "advantage");
        Refused(new([1, 2], 1, 1) { LogProbabilities = [] }, "0 log-probabilities");
    }

    private static Rollout[] Rollouts(int count, double? advantage = null, int seed = 7) =>
        [.. Tiny.Rows(count, seed).Select((row, i) => new Rollout(row.Tokens, 3, advantage ?? (i % 2 == 0 ? 1 : -1)))];

    private static double LogProbability(ModelWeights weights, int[] tokens, int prompt)
    {
        using var decoder = new Decoder(weights, bf16: false);
        return -WeightedLoss.Backward(decoder, [new TokenRow(tokens, [.. tokens.Select((_, i) => i < prompt ? 0f : 1f)])], 1);
    }
}
