using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;

namespace Deliberate.Bench;

/// <summary>The model that is measured: the shipped miniature, or random weights of its shape where there is none.</summary>
internal static class BenchModel
{
    private static readonly ModelConfig Shape = new()
    {
        VocabSize = 2048,
        HiddenSize = 192,
        Layers = 5,
        Heads = 6,
        KvHeads = 3,
        HeadDim = 32,
        FeedForward = 512,
        MaxPositions = 1024,
        RopeTheta = 1_000_000,
    };

    public static (ModelWeights Weights, string Name) Load()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var model = Path.Combine(folder.FullName, "models", "miniature");
            if (File.Exists(Path.Combine(model, "config.json"))) return (ModelFolder.Load(model).Weights, "models/miniature");
        }

        // Rounded to bf16, as shipped weights are.
        var weights = Initialisation.Random(Shape, 1);
        foreach (var (name, _) in Shape.Tensors())
            for (var i = 0; i < weights[name].Length; i++) weights[name][i] = BFloat16.ToSingle(BFloat16.FromSingle(weights[name][i]));
        return (weights, "random weights of the miniature's shape");
    }

    /// <summary>Prompts of random tokens, all different from the first token on.</summary>
    public static int[][] Prompts(ModelConfig config, int count, int length)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, length).Select(_ => random.Next(config.VocabSize)).ToArray())];
    }
}
