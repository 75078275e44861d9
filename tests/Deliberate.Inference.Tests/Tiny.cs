using Deliberate.Inference.Generation;
using Deliberate.Inference.Models;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Inference.Tests;

/// <summary>Models of random weights that compute in microseconds, and a tokenizer for them.</summary>
internal static class Tiny
{
    /// <summary>Widths that fill no whole vector, so that padding matters.</summary>
    public static ModelConfig Odd { get; } = new()
    {
        VocabSize = 300,
        HiddenSize = 40,
        Layers = 2,
        Heads = 3,
        KvHeads = 1,
        HeadDim = 6,
        FeedForward = 50,
        MaxPositions = 200,
    };

    /// <summary>The proportions of the miniature.</summary>
    public static ModelConfig Even { get; } = new()
    {
        VocabSize = 300,
        HiddenSize = 64,
        Layers = 2,
        Heads = 4,
        KvHeads = 2,
        HeadDim = 32,
        FeedForward = 96,
        MaxPositions = 200,
    };

    /// <summary>As <see cref="Even"/>, with an output projection of its own and heads of one and a half slices.</summary>
    public static ModelConfig Untied { get; } = Even with { TieEmbeddings = false, Heads = 2, KvHeads = 2, HeadDim = 48 };

    public static IEnumerable<ModelConfig> Shapes => [Odd, Even, Untied];

    /// <summary>The shape with this name, for theories.</summary>
    public static ModelConfig Shape(string name) => name switch { nameof(Odd) => Odd, nameof(Even) => Even, _ => Untied };

    public static ModelWeights Weights(ModelConfig config, int seed = 1)
    {
        var random = new Random(seed);
        var weights = new ModelWeights(config);
        foreach (var (name, shape) in config.Tensors())
        {
            // Large enough that attention is not uniform and no token is always the likeliest.
            var scale = shape.Length == 1 ? 0.2 : name.Contains("embed", StringComparison.Ordinal) ? 0.5 : 2 / Math.Sqrt(shape[1]);
            for (var i = 0; i < weights[name].Length; i++)
                weights[name][i] = (float)((shape.Length == 1 ? 1 : 0) + scale * (2 * random.NextDouble() - 1));
        }

        return weights;
    }

    /// <summary>A model that is inclined to these tokens, by so many nats each.</summary>
    public static ModelWeights Inclined(params (int Token, float Nats)[] tokens)
    {
        var weights = Weights(Untied);
        int width = Untied.HiddenSize, scale = 20;
        var (embedding, head) = (weights["model.embed_tokens.weight"], weights["lm_head.weight"]);
        // The first coordinate of the residual stream dwarfs the others: after the norm it is constant and can carry a bias.
        for (var token = 0; token < Untied.VocabSize; token++) (embedding[token * width], head[token * width]) = (scale, 0);
        for (var i = 0; i < head.Length; i++) head[i] *= 3;
        foreach (var (token, nats) in tokens) head[token * width] = nats / MathF.Sqrt(width);
        weights["model.norm.weight"][0] = 1;
        return weights;
    }

    public static Generator Generator(ModelConfig config, int threads = 1, int maxBatch = 128, bool share = true) =>
        new(Weights(config), new() { Threads = threads, MaxBatch = maxBatch, SharePrefixes = share });

    public static int[] Tokens(Random random, int count, int vocabulary = 300) => [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];

    /// <summary>The chat format's special tokens, 256 bytes and a few words: 300 ids.</summary>
    public static BpeTokenizer Tokenizer { get; } = BpeTrainer.Train(
        Enumerable.Repeat("the old man and the sea, the young man and the hill: a story of a man who went down to the river and never came home", 5), 300,
        ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<think>", "</think>"], [" a", " a robbery", " [T3]"]);

    /// <summary>What is left of a text whose lone surrogates became U+FFFD, as in every UTF-8 encoder.</summary>
    public static string Valid(string text) => System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("deliberate-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
