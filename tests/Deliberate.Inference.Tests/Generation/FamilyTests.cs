using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

/// <summary>Tiny random models of every family against what the reference implementation computes for them.</summary>
public class FamilyTests
{
    public static TheoryData<string> Families =>
    [
        "llama2", "llama3", "llama-linear", "smollm2", "smollm3", "mistral", "mistral-head", "qwen2", "qwen2-yarn", "qwen3", "gemma2", "gemma3", "phi3", "olmo2",
    ];

    [Theory]
    [MemberData(nameof(Families))]
    public void Logits_are_those_of_the_reference(string family)
    {
        using var model = StoredModel.Open(Fixtures.Model(family));
        using var expected = SafeTensorsFile.Open(Path.Combine(model.Path, "expected.safetensors"));
        var (ids, logits) = (expected.Integers("input_ids"), expected.Values("logits"));
        foreach (var options in (GeneratorOptions[])[new() { Threads = 1 }, new() { Threads = 3, Together = true }])
        {
            using var generator = new Generator(model.Weights(), options);
            for (var row = 0; row < 2; row++)
                AssertNear(logits.AsSpan(row * logits.Length / 2, logits.Length / 2), generator.Logits(Row(ids, 2, row)), 2e-4);
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Greedy_tokens_are_those_of_the_reference(string family)
    {
        using var model = StoredModel.Open(Fixtures.Model(family));
        using var expected = SafeTensorsFile.Open(Path.Combine(model.Path, "expected.safetensors"));
        var (ids, greedy, gap) = (expected.Integers("input_ids"), expected.Integers("greedy"), expected.Values("greedy_gap"));
        var length = greedy.Length / 2;
        foreach (var together in (bool[])[false, true])
        {
            using var generator = new Generator(model.Weights(), new() { Threads = 2, Together = together });
            var results = generator.Generate([.. Enumerable.Range(0, 2).Select(row => new GenerationRequest { Prompt = Row(ids, 2, row), MaxNewTokens = length, Temperature = 0 })]);
            for (var row = 0; row < 2; row++)
            {
                var wanted = Row(greedy, 2, row);
                var same = wanted.Zip(results[row].Tokens, (a, b) => a == b).TakeWhile(equal => equal).Count();
                Assert.True(same == length || gap[row * length + same] < 1e-3, $"{family}: row {row} differs at token {same}.");
            }
        }
    }

    [Theory]
    [InlineData("mistral")]
    [InlineData("gemma2")]
    [InlineData("gemma3")]
    [InlineData("phi3")]
    public void Windows_hold_over_prefixes_chunks_and_company(string family)
    {
        using var model = StoredModel.Open(Fixtures.Model(family));
        var random = new Random(1);
        // Longer than the window, a block and a pass; many begin alike.
        var stem = Tiny.Tokens(random, 200, model.Config.VocabSize);
        int[][] prompts = [.. Enumerable.Range(0, 12).Select(i => (int[])[.. stem[..(i % 4 == 0 ? 200 : 40 + 9 * i)], .. Tiny.Tokens(random, 1 + i, model.Config.VocabSize)])];
        GenerationRequest[] requests = [.. prompts.Where(prompt => prompt.Length <= model.Config.MaxPositions).Select(prompt => new GenerationRequest { Prompt = prompt, MaxNewTokens = 30, Temperature = 0.8f, Seed = prompt.Length })];
        Assert.NotEmpty(requests);
        using var alone = new Generator(model.Weights(), new() { Threads = 1, MaxBatch = 1, SharePrefixes = false });
        var expected = alone.Generate(requests);
        using var together = new Generator(model.Weights(), new() { Threads = 2, Together = true });
        var actual = together.Generate(requests);
        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Equal(expected[i].Tokens, actual[i].Tokens);
            Assert.Equal(expected[i].LogProbs, actual[i].LogProbs);
        }
    }

    [Fact]
    public void A_mixture_of_experts_is_refused_by_name() =>
        Assert.Contains("moe", Assert.Throws<InvalidDataException>(() => StoredModel.Open(Fixtures.Model("qwen3-moe"))).Message, StringComparison.OrdinalIgnoreCase);

    private static int[] Row(long[] values, int rows, int row) => [.. values.Skip(row * values.Length / rows).Take(values.Length / rows).Select(value => (int)value)];

    private static void AssertNear(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = 0.0;
        for (var i = 0; i < expected.Length; i++) worst = Math.Max(worst, Math.Abs(expected[i] - actual[i]));
        Assert.True(worst <= tolerance, $"Logits differ by {worst}.");
    }
}
