using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Xunit;
using static TorchSharp.torch;
using Generator = Deliberate.Inference.Generation.Generator;

namespace Deliberate.Training.Tests;

/// <summary>The two engines compute the same model: training's decoder on libtorch and generation in plain C#.</summary>
public class EngineParityTests
{
    // The miniature's proportions with fewer layers, and a shape whose widths fill no vector.
    public static TheoryData<int, int, int, int, int, int> Shapes => new() { { 192, 6, 3, 32, 512, 3 }, { 40, 3, 1, 6, 50, 2 }, { 64, 4, 4, 16, 96, 1 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Logits_agree_to_a_ten_thousandth(int width, int heads, int kvHeads, int headDim, int feedForward, int layers)
    {
        var (weights, random) = Weights(width, heads, kvHeads, headDim, feedForward, layers);
        int[] tokens = [.. Enumerable.Range(0, 180).Select(_ => random.Next(weights.Config.VocabSize))];
        using var decoder = new Decoder(weights, bf16: false);
        using var generator = new Generator(weights, new() { Threads = 1 });
        var expected = Logits(decoder, tokens);
        var actual = generator.Logits(tokens);
        Assert.Equal(expected.Length, actual.Length);
        Assert.True(expected.Max() > 1, "Logits near zero would agree whatever was computed.");
        for (var i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 1e-4f);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Greedy_text_is_equal(int width, int heads, int kvHeads, int headDim, int feedForward, int layers)
    {
        var (weights, random) = Weights(width, heads, kvHeads, headDim, feedForward, layers);
        using var decoder = new Decoder(weights, bf16: false);
        using var generator = new Generator(weights, new() { Threads = 2 });
        var prompts = Enumerable.Range(0, 4).Select(i => Enumerable.Range(0, 5 + 20 * i).Select(_ => random.Next(weights.Config.VocabSize)).ToArray()).ToArray();
        var results = generator.Generate([.. prompts.Select(prompt => new GenerationRequest { Prompt = prompt, MaxNewTokens = 40, Temperature = 0 })], cancel: TestContext.Current.CancellationToken);
        for (var i = 0; i < prompts.Length; i++)
        {
            var tokens = prompts[i].ToList();
            for (var step = 0; step < 40; step++)
            {
                var last = Logits(decoder, [.. tokens]).AsSpan(^weights.Config.VocabSize..).ToArray();
                tokens.Add(Array.IndexOf(last, last.Max()));
            }

            Assert.Equal(tokens[prompts[i].Length..], results[i].Tokens);
        }
    }

    [Fact]
    public void Trained_weights_reach_the_generator_unchanged()
    {
        var (weights, random) = Weights(40, 3, 1, 6, 50, 2);
        int[] tokens = [.. Enumerable.Range(0, 30).Select(_ => random.Next(weights.Config.VocabSize))];
        using var decoder = new Decoder(weights, bf16: false);
        using var generator = new Generator(new ModelWeights(weights.Config), new() { Threads = 1 });
        generator.Load(decoder.ToWeights());
        using var direct = new Generator(weights, new() { Threads = 1 });
        Assert.Equal(direct.Logits(tokens), generator.Logits(tokens));
    }

    private static float[] Logits(Decoder decoder, int[] tokens)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        return decoder.Logits(decoder.Hidden(tensor(Array.ConvertAll(tokens, token => (long)token), [1, tokens.Length]))[0]).data<float>().ToArray();
    }

    private static (ModelWeights Weights, Random Random) Weights(int width, int heads, int kvHeads, int headDim, int feedForward, int layers)
    {
        var config = new ModelConfig { VocabSize = 200, HiddenSize = width, Layers = layers, Heads = heads, KvHeads = kvHeads, HeadDim = headDim, FeedForward = feedForward, MaxPositions = 256 };
        var weights = Initialisation.Random(config, 3);
        // Scaled up so that attention is far from uniform and every part matters.
        foreach (var (name, shape) in config.Tensors().Where(tensor => tensor.Shape.Length > 1))
            for (var i = 0; i < weights[name].Length; i++) weights[name][i] *= 4;
        return (weights, new Random(5));
    }
}
