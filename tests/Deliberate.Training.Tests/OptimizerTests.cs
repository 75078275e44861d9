using Deliberate.Training.Decoding;
using Deliberate.Training.Optimizers;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Deliberate.Training.Tests;

public class OptimizerTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void AdamW_agrees_with_its_definition(double decay)
    {
        using var scope = NewDisposeScope();
        var random = new Random(3);
        var start = Enumerable.Range(0, 12).Select(_ => random.NextSingle() - 0.5f).ToArray();
        var parameter = tensor(start, [3, 4]).requires_grad_();
        using var adam = new AdamW([parameter], decay: decay);
        var (p, m, v) = (start.Select(x => (double)x).ToArray(), new double[12], new double[12]);
        for (var step = 1; step <= 10; step++)
        {
            var gradient = Enumerable.Range(0, 12).Select(_ => random.NextSingle() - 0.5f).ToArray();
            parameter.grad = tensor(gradient, [3, 4]);
            adam.Step(1e-2);
            for (var i = 0; i < 12; i++)
            {
                m[i] = 0.9 * m[i] + 0.1 * gradient[i];
                v[i] = 0.95 * v[i] + 0.05 * gradient[i] * gradient[i];
                p[i] = p[i] * (1 - 1e-2 * decay) - 1e-2 * m[i] / (1 - Math.Pow(0.9, step)) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.95, step))) + 1e-8);
            }
        }

        var values = parameter.detach().data<float>().ToArray();
        for (var i = 0; i < 12; i++) Assert.Equal(p[i], values[i], 1e-6);
    }

    [Theory]
    [InlineData(16, 16)]
    [InlineData(24, 8)]
    [InlineData(8, 24)]
    public void Muon_moves_every_direction_about_alike(int rows, int columns)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(5);
        var parameter = zeros(rows, columns).requires_grad_();
        parameter.grad = randn(rows, columns);
        using var muon = new Muon([parameter]);
        muon.Step(1);
        var scale = Math.Sqrt(Math.Max(1.0, (double)rows / columns));
        var singular = linalg.svdvals(parameter.detach() / scale).data<float>().ToArray();
        Assert.All(singular, value => Assert.InRange(value, 0.3, 1.3));
        Assert.True((parameter.detach() * parameter.grad!).sum().ToDouble() < 0); // against the gradient
    }

    [Fact]
    public void Clipping_scales_all_gradients_to_the_limit_and_leaves_small_ones()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (zeros(2).requires_grad_(), zeros(1).requires_grad_());
        (a.grad, b.grad) = (tensor(new float[] { 2, 3 }), tensor(new float[] { 6 }));
        Assert.Equal(7, Gradients.Clip([a, b], 1), 5);
        Assert.Equal(1, Gradients.Clip([a, b], 2), 5);
        Assert.Equal(2.0 / 7, a.grad[0].ToDouble(), 5);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_moves_nothing()
    {
        var weights = Tiny.Weights();
        using var decoder = new Decoder(weights, bf16: false);
        using var optimizer = new DecoderOptimizer(decoder, OptimizerKind.AdamW, 0, 1);
        WeightedLoss.Backward(decoder, Tiny.Rows(1), 1);
        using (no_grad()) decoder.Parameters[0].grad!.fill_(double.NaN);
        Assert.Contains("learning rate", Assert.Throws<InvalidOperationException>(() => optimizer.Step(1e-3, 0)).Message, StringComparison.Ordinal);
        Tiny.AssertSame(weights, decoder.ToWeights());
    }

    [Fact]
    public void The_cosine_rises_peaks_and_falls_to_its_minimum()
    {
        double At(long step) => CosineSchedule.Share(step, 100, 0.1, 0.2);
        Assert.Equal(1.0 / 11, At(0), 10);
        Assert.Equal(10.0 / 11, At(9), 10);
        Assert.Equal(1, At(10), 10);
        Assert.Equal(0.6, At(55), 10);
        Assert.Equal(0.2, At(100), 10);
        Assert.All(Enumerable.Range(10, 89), step => Assert.True(At(step) > At(step + 1)));
        Assert.Equal(1, CosineSchedule.Share(0, 1, 0, 0));
    }
}
