using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

/// <summary>Prompts that other means multiply, here by rounding to bf16: taken only where they are quick and steady, and then answers are the same in every company.</summary>
public sealed class PromptMatricesTests
{
    private static readonly ModelConfig Config = Tiny.Even with { MaxPositions = 400 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Results_do_not_depend_on_company_sharing_or_what_came_before(int threads)
    {
        var random = new Random(3);
        int[][] stems = [Tiny.Tokens(random, 140), Tiny.Tokens(random, 30)];
        GenerationRequest[] requests = [.. Enumerable.Range(0, 24).Select(i => new GenerationRequest
        {
            // Some are the beginning of others, some are equal.
            Prompt = [.. stems[i % 2], .. i % 5 == 0 ? [] : Tiny.Tokens(new Random(i / 2), 1 + i)], MaxNewTokens = 14, Temperature = 0.9f, Seed = i,
        })];
        GenerationResult[] expected;
        using (var alone = Generator(1, share: false)) expected = [.. requests.Select(request => alone.Generate([request])[0])];
        using (var plain = Generator(1, share: false, new Rounding(double.PositiveInfinity))) Assert.Contains(plain.Generate(requests).Zip(expected), pair => !pair.First.LogProbs.SequenceEqual(pair.Second.LogProbs));
        foreach (var share in (bool[])[true, false])
        {
            using var generator = Generator(threads, share);
            AssertSame(expected, generator.Generate(requests));
            foreach (var i in (int[])[0, 1, 7, 5]) AssertSame([expected[i]], generator.Generate([requests[i]]));
            AssertSame(expected, await Task.WhenAll(requests.Select(request => generator.SubmitAsync(request, TestContext.Current.CancellationToken))));
            // A second turn: the first one's answer stands in the prompt now.
            GenerationRequest[] second = [.. requests.Zip(expected, (request, result) => request with { Prompt = [.. request.Prompt, .. result.Tokens, 5, 6, 7] })];
            using var fresh = Generator(1, share: false);
            AssertSame([.. second.Select(request => fresh.Generate([request])[0])], await Task.WhenAll(second.Select(request => generator.SubmitAsync(request, TestContext.Current.CancellationToken))));
        }
    }

    [Fact]
    public void What_gives_a_token_otherwise_in_other_company_is_refused_at_any_speed()
    {
        using var steady = Generator(2, share: false);
        using var unsteady = Generator(2, share: false, new Rounding(0) { Unsteady = true });
        Assert.True(steady.TakesPrompts);
        Assert.StartsWith("rounding (", steady.Prompts, StringComparison.Ordinal);
        Assert.False(unsteady.TakesPrompts);
        Assert.StartsWith("own kernels (", unsteady.Prompts, StringComparison.Ordinal);
        Assert.EndsWith(", which gives a token otherwise in other company)", unsteady.Prompts, StringComparison.Ordinal);
    }

    private static Generator Generator(int threads, bool share, Rounding? means = null) =>
        new(Tiny.Weights(Config), new() { Threads = threads, MaxBatch = 16, Together = true, SharePrefixes = share, Prompts = means ?? new Rounding(0) });

    private static void AssertSame(GenerationResult[] expected, IReadOnlyList<GenerationResult> actual)
    {
        Assert.Equal(expected.Length, actual.Count);
        foreach (var (one, other) in expected.Zip(actual))
        {
            Assert.Equal(one.Tokens, other.Tokens);
            Assert.Equal(one.LogProbs, other.LogProbs);
        }
    }

    private sealed class Rounding(double leastGain) : IPromptMatrices
    {
        public bool Unsteady { get; init; }

        public string Name => "rounding";

        public double LeastGain => leastGain;

        public IPromptMatrix Create(int outputs, int inputs) => new Matrix(outputs, inputs, Unsteady);

        private sealed class Matrix(int outputs, int inputs, bool unsteady) : IPromptMatrix
        {
            private readonly float[] _weight = new float[outputs * inputs];

            public void Load(MatrixRow read)
            {
                for (var o = 0; o < outputs; o++) read(o, _weight.AsSpan(o * inputs, inputs));
                foreach (ref var value in _weight.AsSpan()) value = Rounded(value);
            }

            public void Multiply(ReadOnlySpan<float> x, int xStride, Span<float> y, int yStride, int rows, int first, int count, bool add)
            {
                for (var r = 0; r < rows; r++)
                    for (var o = 0; o < count; o++)
                    {
                        var sum = unsteady ? rows * 1e-3f : 0f;
                        for (var i = 0; i < inputs; i++) sum += Rounded(x[r * xStride + i]) * _weight[(first + o) * inputs + i];
                        y[r * yStride + o] = sum + (add ? y[r * yStride + o] : 0);
                    }
            }

            public void Dispose()
            {
            }

            private static float Rounded(float value) => BFloat16.ToSingle(BFloat16.FromSingle(value));
        }
    }
}
