using System.Text.Json;
using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Deliberate.Inference.Weights.Gguf;
using Xunit;

namespace Deliberate.Inference.Tests.Generation;

/// <summary>A published model of 135M parameters against what the reference implementation computes for it.</summary>
public sealed class SmolLM2Tests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_bf16_model_keeps_its_size_and_gives_the_reference_text_and_probabilities()
    {
        using var expected = SafeTensorsFile.Open(Fixtures.Shared("fixtures", "smollm2", "expected.safetensors"));
        using var texts = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Shared("fixtures", "smollm2", "prompts.json")));
        using var model = Import();
        using var generator = new Generator(model.Weights());
        Assert.Equal(WeightStorage.Bf16, generator.Weights);
        Assert.InRange(generator.WeightBytes, 1, (long)(2.02 * model.Weights().Parameters));
        for (var i = 0; i < 8; i++)
        {
            var (next, last) = LogProbs(generator, Ints(expected, $"ids.{i}"));
            AssertNear(expected.Values($"logprob_next.{i}"), next, 1e-3);
            AssertNear(LogSoftmax(expected.Values($"logits_last.{i}")), last, 1e-3);
        }

        var results = generator.Generate([.. Enumerable.Range(0, 8).Select(i => new GenerationRequest { Prompt = Ints(expected, $"ids.{i}"), MaxNewTokens = (int)expected[$"greedy.{i}"].Count, Temperature = 0 })]);
        for (var i = 0; i < 8; i++)
        {
            var gap = texts.RootElement[i].GetProperty("first_small_gap");
            var until = gap.ValueKind == JsonValueKind.Null ? results[i].Tokens.Length : gap.GetInt32();
            Assert.Equal(Ints(expected, $"greedy.{i}")[..until], results[i].Tokens[..until]);
        }
    }

    [Fact]
    public void Int8_weights_cost_little()
    {
        using var expected = SafeTensorsFile.Open(Fixtures.Shared("fixtures", "smollm2", "expected.safetensors"));
        using var model = Import();
        using var generator = new Generator(model.Weights(), new() { Weights = WeightStorage.Int8 });
        Assert.InRange(generator.WeightBytes, 1, (long)(1.08 * model.Weights().Parameters));
        double loss = 0, worst = 0, square = 0;
        int tokens = 0, logits = 0;
        for (var i = 0; i < 8; i++)
        {
            var reference = expected.Values($"logprob_next.{i}");
            var (next, last) = LogProbs(generator, Ints(expected, $"ids.{i}"));
            for (var t = 0; t < next.Length; t++) loss += reference[t] - next[t];
            tokens += next.Length;
            var exact = LogSoftmax(expected.Values($"logits_last.{i}"));
            for (var v = 0; v < last.Length; v++)
            {
                worst = Math.Max(worst, Math.Abs(exact[v] - last[v]));
                square += Math.Pow(exact[v] - last[v], 2);
            }

            logits += last.Length;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"int8: {loss / tokens:F5} nats a token over {tokens}; log-probabilities differ by {Math.Sqrt(square / logits):F4} (root mean square), {worst:F3} at most");
        Assert.InRange(loss / tokens, -0.05, 0.05);
        Assert.InRange(Math.Sqrt(square / logits), 0, 0.3);
    }

    private StoredModel Import()
    {
        GgufImport.Convert(Fixtures.Shared("models", "SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"), _folder.Path);
        return StoredModel.Open(_folder.Path);
    }

    // Of each next token, and of all tokens after the last one.
    private static (float[] Next, float[] Last) LogProbs(Generator generator, int[] ids)
    {
        var logits = generator.Logits(ids);
        var vocabulary = generator.Config.VocabSize;
        return ([.. ids.Skip(1).Select((id, i) => LogSoftmax(logits[(i * vocabulary)..((i + 1) * vocabulary)])[id])], LogSoftmax(logits[^vocabulary..]));
    }

    private static float[] LogSoftmax(float[] logits)
    {
        var max = logits.Max();
        var sum = max + Math.Log(logits.Sum(logit => Math.Exp(logit - max)));
        return Array.ConvertAll(logits, logit => (float)(logit - sum));
    }

    private static void AssertNear(float[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst <= tolerance, $"Log-probabilities differ by {worst}.");
    }

    private static int[] Ints(SafeTensorsFile file, string name) => [.. file.Integers(name).Select(value => (int)value)];
}
