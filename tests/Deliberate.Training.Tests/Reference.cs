using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Deliberate.Training.Decoding;
using Xunit;
using static TorchSharp.torch;

namespace Deliberate.Training.Tests;

/// <summary>Reference data that lies beside the repository; a test that needs it is skipped where it is absent.</summary>
internal static class Reference
{
    /// <summary>A file or folder under <c>shared/fixtures</c>.</summary>
    public static string Path(params string[] parts)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = System.IO.Path.Combine([folder.FullName, "shared", .. parts]);
            if (System.IO.Path.Exists(path)) return path;
        }

        Assert.Skip($"shared/{string.Join('/', parts)} is not on this machine.");
        return "";
    }

    public static string Fixture(params string[] parts) => Path(["fixtures", .. parts]);

    /// <summary>A model's weights, in memory.</summary>
    public static ModelWeights Weights(string folder)
    {
        using var stored = StoredModel.Open(folder);
        var weights = new ModelWeights(stored.Config);
        foreach (var (name, _) in stored.Config.Tensors()) stored.Weights().Read(name, 0, weights[name]);
        return weights;
    }

    /// <summary>Logits of every token. (B, T) ids, row-major</summary>
    public static float[] Logits(Decoder decoder, long[] ids, long batch, int[]? packed = null)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        var hidden = decoder.Hidden(tensor(ids, packed is null ? [batch, ids.Length / batch] : [1, ids.Length]), packed);
        return decoder.Logits(hidden.view(-1, decoder.Config.HiddenSize)).data<float>().ToArray();
    }

    public static float Distance(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        return expected.Zip(actual, (a, b) => float.IsNaN(a - b) ? float.PositiveInfinity : Math.Abs(a - b)).Max();
    }

    /// <summary>Rows of a batch with labels (-100 is not trained on) and padding on the right.</summary>
    public static TokenRow[] Rows(int first, int count)
    {
        using var file = SafeTensorsFile.Open(Fixture("training", "batches.safetensors"));
        var (ids, labels, mask) = (file.Integers("input_ids"), file.Integers("labels"), file.Integers("attention_mask"));
        var length = (int)file["input_ids"].Shape[2];
        return [.. Enumerable.Range(first, count).Select(row =>
        {
            var at = Enumerable.Range(row * length, length).TakeWhile(i => mask[i] == 1).ToArray();
            return new TokenRow([.. at.Select(i => (int)ids[i])], [.. at.Select(i => labels[i] == -100 ? 0f : 1f)]);
        })];
    }
}
