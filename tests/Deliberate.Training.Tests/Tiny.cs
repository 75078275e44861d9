using Deliberate.Inference.Models;
using Deliberate.Training.Decoding;
using Xunit;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)] // The native tensor count is one for the process.

namespace Deliberate.Training.Tests;

/// <summary>A model small enough to train in milliseconds, and rows for it.</summary>
internal static class Tiny
{
    public static ModelConfig Config { get; } = new()
    {
        VocabSize = 40,
        HiddenSize = 32,
        Layers = 2,
        Heads = 4,
        KvHeads = 2,
        HeadDim = 8,
        FeedForward = 48,
        MaxPositions = 32,
    };

    /// <summary>Matrices are scaled up so that every part of the model matters to the loss.</summary>
    public static ModelWeights Weights(int seed = 1)
    {
        var weights = Initialisation.Random(Config, seed);
        foreach (var (name, shape) in Config.Tensors().Where(tensor => tensor.Shape.Length > 1))
            for (var i = 0; i < weights[name].Length; i++) weights[name][i] *= 6;
        return weights;
    }

    public static TokenRow[] Rows(int count, int seed = 7)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            int[] tokens = [.. Enumerable.Range(0, random.Next(6, 16)).Select(_ => random.Next(Config.VocabSize))];
            return new TokenRow(tokens, [.. tokens.Select((_, i) => i < 3 ? 0f : i % 2 == 0 ? 1f : 0.5f)]);
        })];
    }

    public static void AssertSame(ModelWeights expected, ModelWeights actual)
    {
        foreach (var (name, _) in expected.Config.Tensors()) Assert.Equal(expected[name], actual[name]);
    }

    /// <summary>A folder that is gone after the test.</summary>
    public static TemporaryFolder Folder() => new();
}

internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("deliberate-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
