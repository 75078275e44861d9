using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Deliberate.Training.Native;
using Xunit;

namespace Deliberate.Training.Tests;

/// <summary>Prompts by libtorch in bf16, on whatever machine: it is right, if slow, without the instructions for it.</summary>
public sealed class TorchPromptsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_product_is_that_of_the_rounded_values(bool add)
    {
        var random = new Random(1);
        float Draw() => (float)(random.NextDouble() - 0.5);
        var (rows, inputs, outputs, xStride, yStride) = (37, 50, 70, 64, 96);
        float[] weights = [.. Enumerable.Range(0, outputs * inputs).Select(_ => Draw())], x = [.. Enumerable.Range(0, rows * xStride).Select(_ => Draw())], y = [.. Enumerable.Range(0, rows * yStride).Select(_ => Draw())];
        var before = y.ToArray();
        var threads = TorchSharp.torch.get_num_threads();
        using (var matrix = new Eager(0).Create(outputs, inputs))
        {
            matrix.Load((output, values) => weights.AsSpan(output * inputs, inputs).CopyTo(values));
            // In two parts, as two threads would.
            foreach (var (first, count) in ((int, int)[])[(0, 32), (32, outputs - 32)]) matrix.Multiply(x, xStride, y.AsSpan(first), yStride, rows, first, count, add);
        }

        Assert.Equal(threads, TorchSharp.torch.get_num_threads());
        static double Rounded(float value) => BFloat16.ToSingle(BFloat16.FromSingle(value));
        for (var r = 0; r < rows; r++)
        {
            for (var o = 0; o < outputs; o++)
            {
                var expected = Enumerable.Range(0, inputs).Sum(i => Rounded(x[r * xStride + i]) * Rounded(weights[o * inputs + i])) + (add ? before[r * yStride + o] : 0);
                Assert.Equal(expected, y[r * yStride + o], 0.02);
            }

            Assert.Equal(before[(r * yStride + outputs)..((r + 1) * yStride)], y[(r * yStride + outputs)..((r + 1) * yStride)]);
        }
    }

    [Theory]
    [InlineData(576, 480)]
    [InlineData(1_536, 288)]
    public void A_row_is_the_same_in_every_company(int inputs, int outputs)
    {
        if (TorchPrompts.Offer() is null) Assert.Skip("This processor does not multiply bf16.");
        var random = new Random(4);
        var (weights, x) = (Draw(outputs * inputs), Draw(128 * inputs));
        using var matrix = TorchPrompts.Matrix(outputs, inputs);
        matrix.Load((output, values) => weights.AsSpan(output * inputs, inputs).CopyTo(values));
        var expected = new float[128 * outputs];
        matrix.Multiply(x, inputs, expected, outputs, 128, 0, outputs, false);
        foreach (var rows in (int[])[1, 2, 3, 17, 64])
        {
            var y = new float[128 * outputs];
            for (var row = 0; row < 128; row += rows)
                matrix.Multiply(x.AsSpan(row * inputs), inputs, y.AsSpan(row * outputs), outputs, Math.Min(rows, 128 - row), 0, outputs, false);
            Assert.Equal(expected, y);
        }

        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
    }

    [Fact]
    public void A_generator_takes_what_is_quick_enough_and_generates_nearly_the_same()
    {
        var random = new Random(2);
        GenerationRequest[] requests = [.. Enumerable.Range(0, 6).Select(i => new GenerationRequest { Prompt = [.. Enumerable.Range(0, 90 + i).Select(_ => random.Next(Tiny.Config.VocabSize))], MaxNewTokens = 4, Temperature = 0 })];
        using var own = new Generator(Weights(1), new() { Threads = 2, Together = true, SharePrefixes = false });
        using var refused = new Generator(Weights(1), new() { Threads = 2, Together = true, SharePrefixes = false, Prompts = new Eager(double.PositiveInfinity) });
        using var taken = new Generator(Weights(1), new() { Threads = 2, Together = true, SharePrefixes = false, Prompts = new Eager(0) });
        using var small = new Generator(Weights(1), new() { Threads = 2, Prompts = new Eager(0) });
        Assert.Null(own.Prompts);
        Assert.Null(small.Prompts);
        Assert.StartsWith("own kernels (", refused.Prompts, StringComparison.Ordinal);
        if (!taken.TakesPrompts)
        {
            // Without the instructions libtorch may sum otherwise in other company, and must be refused for it.
            Assert.EndsWith("in other company)", taken.Prompts, StringComparison.Ordinal);
            return;
        }

        Assert.StartsWith("bf16 by libtorch (", taken.Prompts, StringComparison.Ordinal);
        var expected = Generate(own, requests);
        Assert.Equal(expected.SelectMany(result => result.LogProbs), Generate(refused, requests).SelectMany(result => result.LogProbs));
        AssertNear(expected, Generate(taken, requests));
        // New parameters reach the copies too.
        own.Load(Weights(2));
        taken.Load(Weights(2));
        AssertNear(Generate(own, requests), Generate(taken, requests));
    }

    private static IReadOnlyList<GenerationResult> Generate(Generator generator, GenerationRequest[] requests) => generator.Generate(requests, cancel: TestContext.Current.CancellationToken);

    private static ModelWeights Weights(int seed) => Initialisation.Random(Tiny.Config with { MaxPositions = 200 }, seed);

    // The first token's log-probability comes of the prompt alone.
    private static void AssertNear(IReadOnlyList<GenerationResult> expected, IReadOnlyList<GenerationResult> actual)
    {
        Assert.Contains(expected.Zip(actual), pair => pair.First.LogProbs[0] != pair.Second.LogProbs[0]);
        foreach (var (one, other) in expected.Zip(actual))
            if (one.Tokens[0] == other.Tokens[0]) Assert.Equal(one.LogProbs[0], other.LogProbs[0], 0.1);
        Assert.InRange(expected.Zip(actual).Count(pair => pair.First.Tokens[0] == pair.Second.Tokens[0]), expected.Count - 1, expected.Count);
    }

    private sealed class Eager(double leastGain) : IPromptMatrices
    {
        public string Name => "bf16 by libtorch";

        public double LeastGain => leastGain;

        public IPromptMatrix Create(int outputs, int inputs) => TorchPrompts.Matrix(outputs, inputs);
    }
}
