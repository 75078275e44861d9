using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Deliberate.Training.Native;
using Deliberate.Training.Optimizers;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Deliberate.Training.Tests;

public class DecoderTests
{
    [Fact]
    public void Gradients_agree_with_finite_differences()
    {
        using var decoder = new Decoder(Tiny.Weights(), bf16: false);
        using var scope = NewDisposeScope();
        var rows = Tiny.Rows(3);
        WeightedLoss.Backward(decoder, rows, 1);
        var gradients = decoder.Parameters.Select(parameter => parameter.grad!.clone()).ToArray();
        for (var i = 0; i < gradients.Length; i++)
        {
            // Along the gradient itself, where the slope is steepest and rounding matters least.
            var along = (gradients[i] / gradients[i].norm()).detach();
            var slope = (LossAt(decoder, i, along, 1e-2, rows) - LossAt(decoder, i, along, -1e-2, rows)) / 2e-2;
            Assert.Equal(1, slope / gradients[i].norm().ToDouble(), 0.02);
        }
    }

    [Fact]
    public void Weights_survive_the_round_trip()
    {
        var weights = Tiny.Weights();
        using var decoder = new Decoder(weights);
        Tiny.AssertSame(weights, decoder.ToWeights());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_narrow_model_is_computed_in_fp32_and_a_wide_one_as_the_processor_likes(bool adapted)
    {
        if (Processor.AskedForBf16 is not null) Assert.Skip("DELIBERATE_BF16 is set.");
        var (narrow, wide) = (Decoder.Choice(Tiny.Config, adapted, "cpu"), Decoder.Choice(Tiny.Config with { HiddenSize = 576 }, adapted, "cpu"));
        if (Processor.FastBf16) Assert.Equal((false, "fp32 (quicker than bf16 in a model this narrow)"), narrow);
        else Assert.Equal(wide, narrow);
        Assert.Equal(adapted ? MatrixProbe.Of(CPU).Bf16 : Processor.FastBf16, wide.Bf16);
        Assert.True(Decoder.Choice(Tiny.Config, adapted, "cpu", bf16: true).Bf16);
    }

    [Fact]
    public void Bf16_gives_nearly_the_same_loss()
    {
        using var exact = new Decoder(Tiny.Weights(), bf16: false);
        using var rounded = new Decoder(Tiny.Weights(), bf16: true);
        var loss = WeightedLoss.Backward(exact, Tiny.Rows(4), 1);
        Assert.Equal(1, WeightedLoss.Backward(rounded, Tiny.Rows(4), 1) / loss, 0.01);
    }

    [Fact]
    public void Attention_over_short_rows_agrees_with_the_plain_one()
    {
        (double Loss, double Norm) Of(bool plain)
        {
            using var decoder = new Decoder(Tiny.Weights(), bf16: false) { Body = DecoderBody.Torch, PlainAttention = plain };
            return (WeightedLoss.Backward(decoder, Tiny.Rows(4), 1), Gradients.Clip(decoder.Parameters, double.MaxValue));
        }

        var (expected, actual) = (Of(plain: true), Of(plain: false));
        Assert.Equal(1, actual.Loss / expected.Loss, 1e-5);
        Assert.Equal(1, actual.Norm / expected.Norm, 1e-5);
    }

    [Fact]
    public void Batching_and_padding_do_not_change_the_loss()
    {
        using var decoder = new Decoder(Tiny.Weights(), bf16: false);
        var rows = Tiny.Rows(5);
        var apart = rows.Sum(row => WeightedLoss.Backward(decoder, [row], 1));
        Assert.Equal(apart, WeightedLoss.Backward(decoder, rows, 1), 3);
        Assert.Equal(apart, WeightedLoss.Batches(rows, 20).Sum(batch => WeightedLoss.Backward(decoder, batch, 1)), 3);
    }

    [Fact]
    public void Tokens_without_weight_and_after_the_last_weight_have_no_influence()
    {
        var (one, other) = (new int[] { 1, 2, 3, 4, 5, 6 }, new int[] { 1, 2, 3, 4, 9, 8 });
        float[] weights = [0, 0, 1, 1, 0, 0];
        var (first, firstGradient) = Gradient(new TokenRow(one, weights));
        var (second, secondGradient) = Gradient(new TokenRow(other, weights));
        Assert.Equal(first, second);
        Assert.Equal(firstGradient, secondGradient);
    }

    [Fact]
    public void The_first_token_is_never_predicted()
    {
        using var decoder = new Decoder(Tiny.Weights(), bf16: false);
        Assert.Equal(0, WeightedLoss.Backward(decoder, [new TokenRow([1, 2], [1, 0])], 1));
    }

    [Fact]
    public void Refuses_rows_beyond_the_models_positions()
    {
        using var decoder = new Decoder(Tiny.Weights());
        Assert.Contains("33", Assert.Throws<ArgumentException>(() => decoder.Hidden(zeros([1, 33], ScalarType.Int64))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_host_refuses_what_it_does_not_compute() =>
        Assert.Throws<NotSupportedException>(() => new Decoder(new ModelWeights(Tiny.Config with { TieEmbeddings = false }), bf16: false) { Body = DecoderBody.Host });

    [Fact]
    public void A_device_that_is_not_there_is_one_clear_line()
    {
        Assert.Contains("use cpu, cuda or cuda:1", Assert.Throws<ArgumentException>(() => new Decoder(Tiny.Weights(), new DecoderOptions { Device = "tpu" })).Message, StringComparison.Ordinal);
        if (!cuda.is_available()) Assert.Contains("DeliberateTorch=cuda", Assert.Throws<NotSupportedException>(() => new Decoder(Tiny.Weights(), new DecoderOptions { Device = "cuda" })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Logits_in_chunks_give_the_same_loss_and_gradient(bool host)
    {
        // 520 predicted tokens of a vocabulary of 40,000 are more than are kept whole.
        var config = Tiny.Config with { VocabSize = 40_000, MaxPositions = 600, Layers = 1 };
        var weights = Initialisation.Random(config, 1);
        var random = new Random(3);
        TokenRow[] rows = [.. Enumerable.Range(0, 2).Select(_ => new TokenRow([.. Enumerable.Range(0, 261).Select(_ => random.Next(config.VocabSize))], [.. Enumerable.Range(0, 261).Select(i => i % 3 == 0 ? 0.5f : 1f)]))];
        using var chunked = new Decoder(weights, bf16: false) { Body = host ? DecoderBody.Host : DecoderBody.Torch };
        using var whole = new Decoder(weights, bf16: false) { Body = host ? DecoderBody.Host : DecoderBody.Torch };
        Assert.True(ChunkedHead.IsNeeded(520, chunked));
        var loss = WeightedLoss.Backward(chunked, rows, 500);
        var expected = rows.Sum(row => WeightedLoss.Backward(whole, [row], 500));
        Assert.Equal(1, loss / expected, 1e-5);
        foreach (var (name, gradient) in whole.Gradients()) Assert.InRange(Reference.Distance(gradient, chunked.Gradients()[name]), 0, 1e-4f * gradient.Max(Math.Abs));
    }

    [Fact]
    public void Steps_leave_no_tensors_behind()
    {
        using var decoder = new Decoder(Tiny.Weights());
        using var optimizer = new DecoderOptimizer(decoder, OptimizerKind.Muon, 0, 1);
        long After()
        {
            WeightedLoss.Backward(decoder, Tiny.Rows(3), 1);
            optimizer.Step(1e-3, 1e-3);
            return Tensor.TotalCount;
        }

        var count = After();
        for (var i = 0; i < 5; i++) Assert.True(After() <= count);
    }

    private static double LossAt(Decoder decoder, int parameter, Tensor along, double distance, TokenRow[] rows)
    {
        using (no_grad()) decoder.Parameters[parameter].add_(along, distance);
        var loss = WeightedLoss.Backward(decoder, rows, 1);
        using (no_grad()) decoder.Parameters[parameter].add_(along, -distance);
        return loss;
    }

    private static (double Loss, float[] Gradient) Gradient(TokenRow row)
    {
        using var decoder = new Decoder(Tiny.Weights(), bf16: false);
        var loss = WeightedLoss.Backward(decoder, [row], 1);
        using var scope = NewDisposeScope();
        return (loss, [.. decoder.Parameters.SelectMany(parameter => parameter.grad!.contiguous().data<float>().ToArray())]);
    }
}
