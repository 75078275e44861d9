using Deliberate.Inference.Weights;
using Deliberate.Training.Decoding;
using Xunit;

namespace Deliberate.Training.Tests;

/// <summary>The decoder computes every family as transformers does.</summary>
public class FamilyTests
{
    public static TheoryData<string> Families =>
    [
        "llama2", "llama3", "llama-linear", "smollm2", "smollm3", "mistral", "mistral-head", "qwen2", "qwen2-yarn", "qwen3", "gemma2", "gemma3", "phi3", "olmo2",
    ];

    [Theory]
    [MemberData(nameof(Families))]
    public void Logits_are_those_of_transformers(string family)
    {
        var folder = Reference.Fixture("models", family);
        using var expected = SafeTensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        using var decoder = new Decoder(Reference.Weights(folder), new DecoderOptions { Bf16 = false });
        var (ids, logits) = (expected.Integers("input_ids"), expected.Values("logits"));
        Assert.InRange(Reference.Distance(logits, Reference.Logits(decoder, ids, 2)), 0, 2e-4);
        Assert.InRange(Reference.Distance(logits, Reference.Logits(decoder, ids, 2, [40, 40])), 0, 2e-4);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Weights_survive_the_round_trip(string family)
    {
        var weights = Reference.Weights(Reference.Fixture("models", family));
        using var decoder = new Decoder(weights, new DecoderOptions { Bf16 = false });
        Tiny.AssertSame(weights, decoder.ToWeights());
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Packing_and_checkpointing_change_neither_loss_nor_gradient(string family)
    {
        var weights = Reference.Weights(Reference.Fixture("models", family));
        var rows = Tiny.Rows(5);
        (double Loss, float[][] Gradients) Of(bool packed, bool checkpointing)
        {
            using var decoder = new Decoder(weights, new DecoderOptions { Bf16 = false, GradientCheckpointing = checkpointing }) { Body = DecoderBody.Torch };
            var loss = WeightedLoss.Backward(decoder, rows, 10, packed);
            return (loss, [.. decoder.Gradients().OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => entry.Value)]);
        }

        var expected = Of(packed: false, checkpointing: false);
        foreach (var (packed, checkpointing) in new[] { (true, false), (false, true), (true, true) })
        {
            var actual = Of(packed, checkpointing);
            Assert.Equal(1, actual.Loss / expected.Loss, 1e-5);
            foreach (var (a, b) in expected.Gradients.Zip(actual.Gradients)) Assert.InRange(Reference.Distance(a, b), 0, 1e-4f * Math.Max(1e-3f, a.Max(Math.Abs)));
        }
    }
}
