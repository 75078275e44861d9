using CsCheck;
using Deliberate.Inference.Models;
using Deliberate.Training.Optimizers;
using Deliberate.Training.Sft;
using Xunit;

namespace Deliberate.Training.Tests;

public class SftTests
{
    private static readonly SftOptions Options = new() { Epochs = 6, TokensPerStep = 30, MicroBatchTokens = 24, LearningRate = 5e-3, Bf16 = false };

    [Theory]
    [InlineData(OptimizerKind.AdamW, false)]
    [InlineData(OptimizerKind.AdamW, true)]
    [InlineData(OptimizerKind.Muon, false)]
    public void Learns_four_rows_by_heart(OptimizerKind optimizer, bool bf16)
    {
        var losses = new List<double>();
        Train(Tiny.Weights(), Tiny.Rows(4), Options with { Epochs = 100, TokensPerStep = 40, Optimizer = optimizer, Bf16 = bf16 }, step => losses.Add(step.Loss));
        Assert.True(losses[0] > 3);
        Assert.True(losses[^1] < 0.2, $"The loss ended at {losses[^1]}.");
    }

    [Theory]
    [InlineData(OptimizerKind.AdamW, false)]
    [InlineData(OptimizerKind.AdamW, true)]
    [InlineData(OptimizerKind.Muon, false)]
    public void A_resumed_run_ends_in_the_same_bytes(OptimizerKind optimizer, bool bf16)
    {
        using var folder = Tiny.Folder();
        var options = Options with { Optimizer = optimizer, Bf16 = bf16 };
        var rows = Tiny.Rows(5);
        var (unbroken, resumed) = (new List<SftProgress>(), new List<SftProgress>());
        var expected = Train(Tiny.Weights(), rows, options, unbroken.Add);

        options = options with { CheckpointFolder = folder.Path };
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Train(Tiny.Weights(), rows, options, step =>
        {
            resumed.Add(step);
            if (step.Step == 3) cancel.Cancel();
        }, cancel.Token));
        var actual = Train(Tiny.Weights(), rows, options, resumed.Add);

        Tiny.AssertSame(expected, actual);
        Assert.Equal(unbroken.Select(step => (step.Step, step.Loss, step.LearningRate)), resumed.Select(step => (step.Step, step.Loss, step.LearningRate)));
        Tiny.AssertSame(expected, Train(Tiny.Weights(), rows, options, _ => Assert.Fail("A finished run has no steps left.")));
    }

    [Fact]
    public void A_checkpoint_is_not_continued_with_other_rows()
    {
        using var folder = Tiny.Folder();
        var options = Options with { Epochs = 1, CheckpointFolder = folder.Path };
        Train(Tiny.Weights(), Tiny.Rows(2), options);
        var error = Assert.Throws<InvalidDataException>(() => Train(Tiny.Weights(), Tiny.Rows(3), options));
        Assert.Contains("choose another folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_without_weight_change_nothing()
    {
        TokenRow[] rows = Tiny.Rows(3), silent = [new([1, 2, 3], [1, 0, 0])];
        Tiny.AssertSame(Train(Tiny.Weights(), rows, Options), Train(Tiny.Weights(), [.. rows, .. silent], Options));
        Assert.Throws<ArgumentException>(() => Train(Tiny.Weights(), silent, Options));
    }

    [Fact]
    public void The_start_is_not_changed()
    {
        var start = Tiny.Weights();
        Train(start, Tiny.Rows(3), Options);
        Tiny.AssertSame(Tiny.Weights(), start);
    }

    [Theory]
    [InlineData(new[] { 1, 40 }, new[] { 0f, 1f }, "Row 0, position 1: token 40")]
    [InlineData(new[] { 1, -1 }, new[] { 0f, 1f }, "Row 0, position 1: token -1")]
    [InlineData(new[] { 1 }, new[] { 1f }, "Row 0 has 1 tokens")]
    [InlineData(new[] { 1, 2 }, new[] { 1f }, "2 tokens and 1 loss weights")]
    [InlineData(new[] { 1, 2 }, new[] { 0f, float.NaN }, "Row 0, position 1: the loss weight")]
    public void Names_the_row_that_does_not_fit(int[] tokens, float[] weights, string expected)
    {
        var error = Assert.Throws<ArgumentException>(() => Train(Tiny.Weights(), [new TokenRow(tokens, weights)], Options));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_plan_shows_every_row_once_a_pass() =>
        Gen.Select(Gen.Int[1, 30], Gen.Int[1, 4], Gen.Int[1, 100], Gen.Int[0, 1000]).Sample((count, epochs, perStep, seed) =>
        {
            var rows = Tiny.Rows(count, seed);
            var options = new SftOptions { Epochs = epochs, TokensPerStep = perStep, Seed = seed };
            var steps = SftPlan.Steps(rows, options);
            Assert.Equal(steps, SftPlan.Steps(rows, options));
            var shown = steps.SelectMany(step => step).ToArray();
            foreach (var pass in shown.Chunk(count)) Assert.Equal(Enumerable.Range(0, count), pass.Order());
            Assert.Equal(epochs * count, shown.Length);
            Assert.All(steps.SkipLast(1), step => Assert.True(step.Sum(row => rows[row].Tokens.Length) >= perStep));
        }, iter: 50);

    [Fact]
    public void A_fraction_of_a_pass_ends_within_it() =>
        Assert.Equal(15, SftPlan.Steps(Tiny.Rows(10), new SftOptions { Epochs = 1.5 }).Sum(step => step.Length));

    private static ModelWeights Train(ModelWeights start, TokenRow[] rows, SftOptions options, Action<SftProgress>? progress = null, CancellationToken? cancel = null) =>
        SftTrainer.Train(start, rows, options, progress, cancel ?? TestContext.Current.CancellationToken);
}
