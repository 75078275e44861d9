using System.Globalization;
using System.Runtime.InteropServices;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Deliberate.Training.Decoding;
using static TorchSharp.torch;

namespace Deliberate.Training.Pretraining;

/// <summary>Where a run stands.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Row">Index of the next row.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="Seconds">Training time.</param>
internal sealed record RunState(long Step = 0, long Row = 0, long Tokens = 0, double Seconds = 0);

/// <summary>Saves and restores everything that a run depends on, in one safetensors file.</summary>
public static class Checkpoint
{
    private const string FileName = "checkpoint.safetensors";

    /// <summary>The parameters of the checkpoint in this folder, while the run goes on or after it.</summary>
    /// <exception cref="FileNotFoundException">The folder holds no checkpoint.</exception>
    public static ModelWeights LoadWeights(string folder, ModelConfig config)
    {
        using var decoder = new Decoder(new ModelWeights(config), bf16: false);
        using var stored = SafeTensorsFile.Open(Path.Combine(folder, FileName));
        Restore(Name(decoder, [], []), stored, folder);
        return decoder.ToWeights();
    }

    internal static IReadOnlyList<(string Name, Tensor Tensor)> Name(Decoder decoder, IReadOnlyList<Tensor> adam, IReadOnlyList<Tensor> muon) =>
    [
        .. decoder.Parameters.Select((tensor, i) => ($"parameter.{i}", tensor)),
        .. adam.Select((tensor, i) => ($"adamw.{i}", tensor)),
        .. muon.Select((tensor, i) => ($"muon.{i}", tensor)),
    ];

    /// <summary>Writes the checkpoint atomically; <paramref name="recipe"/> names what the run depends on beyond its state.</summary>
    internal static void Save(string folder, IReadOnlyList<(string Name, Tensor Tensor)> tensors, RunState state, string recipe = "")
    {
        string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
        Directory.CreateDirectory(folder);
        SafeTensorsWriter.Write(Path.Combine(folder, FileName), tensors.Select(entry => new TensorToWrite(entry.Name, TensorType.F32, entry.Tensor.shape, () => Values(entry.Tensor))),
            new Dictionary<string, string> { ["step"] = Text(state.Step), ["row"] = Text(state.Row), ["tokens"] = Text(state.Tokens), ["seconds"] = state.Seconds.ToString("R", CultureInfo.InvariantCulture), ["recipe"] = recipe });
    }

    /// <summary>Restores the checkpoint in this folder; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It belongs to another model, or its recipe is not this one.</exception>
    internal static RunState? TryLoad(string folder, IReadOnlyList<(string Name, Tensor Tensor)> tensors, string recipe = "")
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        using var stored = SafeTensorsFile.Open(path);
        var metadata = stored.Metadata;
        if (metadata.GetValueOrDefault("recipe", "") is var saved && saved != recipe)
            throw new InvalidDataException($"{path}: the checkpoint was made with '{saved}', this run is '{recipe}'. Go on with the same start, data and options, or choose another folder.");
        Restore(tensors, stored, folder);
        long Number(string key) => long.Parse(metadata[key], CultureInfo.InvariantCulture);
        return new(Number("step"), Number("row"), Number("tokens"), double.Parse(metadata["seconds"], CultureInfo.InvariantCulture));
    }

    private static void Restore(IReadOnlyList<(string Name, Tensor Tensor)> tensors, SafeTensorsFile stored, string folder)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (name, tensor) in tensors)
        {
            if (!stored.Tensors.TryGetValue(name, out var saved) || !saved.Shape.SequenceEqual(tensor.shape))
                throw new InvalidDataException($"{Path.Combine(folder, FileName)}: tensor '{name}' is missing or has another shape; the checkpoint belongs to another model. Choose another folder.");
            using var values = TorchSharp.torch.tensor(stored.Values(name), tensor.shape);
            tensor.copy_(values);
        }
    }

    private static float[] Values(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, float>(tensor.detach().cpu().contiguous().bytes).ToArray();
    }
}
