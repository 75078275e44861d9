using System.Runtime.InteropServices;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using static TorchSharp.torch;

namespace Deliberate.Training.Decoding;

/// <summary>Makes tensors of a model's weights, several stacked in one where they are used together, without a copy of the whole model.</summary>
internal sealed class ParameterLoader(ModelWeights weights, ScalarType type, Device device, bool trained)
{
    private const int Part = 1 << 24;

    private readonly Dictionary<string, int[]> _shapes = weights.Config.Tensors().ToDictionary(tensor => tensor.Name, tensor => tensor.Shape, StringComparer.Ordinal);

    /// <summary>Whether the model has this tensor.</summary>
    public bool Has(string name) => _shapes.ContainsKey(name);

    /// <summary>Those tensors one below the other, as one parameter.</summary>
    public Parameter Load(params string[] names)
    {
        using var _ = no_grad();
        long[] shape = [names.Sum(name => (long)_shapes[name][0]), .. _shapes[names[0]].Skip(1).Select(size => (long)size)];
        // Vectors are small and sensitive: they stay exact even where matrices do not.
        var target = empty(shape, shape.Length == 1 ? ScalarType.Float32 : type);
        var row = 0L;
        foreach (var name in names)
        {
            Fill(target.narrow(0, row, _shapes[name][0]), name);
            row += _shapes[name][0];
        }

        var tensor = target.to(device).DetachFromDisposeScope();
        return new(trained ? tensor.requires_grad_() : tensor, [.. names.Select(name => (name, (long)_shapes[name][0]))]);
    }

    /// <summary>The parameter, or null where the model has none of this name.</summary>
    public Parameter? LoadIfAny(params string[] names) => Has(names[0]) ? Load(names) : null;

    // In parts of rows, so that no span passes what it can count.
    private void Fill(Tensor target, string name)
    {
        var (rows, width) = (target.shape[0], target.numel() / Math.Max(1, target.shape[0]));
        var step = Math.Max(1, Part / Math.Max(1, width));
        var buffer = target.dtype == ScalarType.Float32 ? [] : new float[Math.Min(rows, step) * width];
        for (var row = 0L; row < rows; row += step)
        {
            using var part = target.narrow(0, row, Math.Min(step, rows - row));
            var bytes = part.bytes;
            if (target.dtype == ScalarType.Float32)
            {
                weights.Read(name, row * width, MemoryMarshal.Cast<byte, float>(bytes));
                continue;
            }

            if (weights.Stored(name, out var stored, out var raw) && stored == TensorType.BF16)
            {
                raw.Slice((int)(row * width * 2), bytes.Length).CopyTo(bytes);
                continue;
            }

            var values = buffer.AsSpan(0, bytes.Length / 2);
            weights.Read(name, row * width, values);
            var rounded = MemoryMarshal.Cast<byte, ushort>(bytes);
            for (var i = 0; i < values.Length; i++) rounded[i] = BFloat16.FromSingle(values[i]);
        }
    }
}

/// <summary>A tensor of the decoder and the tensors of Hugging Face's that it holds, one below the other.</summary>
internal sealed record Parameter(Tensor Tensor, IReadOnlyList<(string Name, long Rows)> Parts)
{
    /// <summary>Copies values, or gradients, to arrays by name.</summary>
    public void CopyTo(Func<string, float[]> target, Tensor? values = null)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var row = 0L;
        foreach (var (name, rows) in Parts)
        {
            var part = (values ?? Tensor).detach().narrow(0, row, rows).to(ScalarType.Float32).cpu().contiguous();
            MemoryMarshal.Cast<byte, float>(part.bytes).CopyTo(target(name));
            row += rows;
        }
    }
}
