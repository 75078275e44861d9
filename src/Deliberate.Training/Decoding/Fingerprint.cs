using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding;

/// <summary>Short hashes of what a run depends on, so that a checkpoint is not continued with something else.</summary>
internal static class Fingerprint
{
    /// <summary>Of all parameters.</summary>
    public static string Of(ModelWeights weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var part = new float[1 << 18];
        foreach (var (name, shape) in weights.Config.Tensors())
        {
            var count = shape.Aggregate(1, (product, size) => checked(product * size));
            hash.AppendData(BitConverter.GetBytes(count));
            for (var start = 0; start < count; start += part.Length)
            {
                var values = part.AsSpan(0, Math.Min(part.Length, count - start));
                weights.Read(name, start, values);
                hash.AppendData(MemoryMarshal.AsBytes(values));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>Of an adapter's matrices.</summary>
    public static string Of(Lora.LoraAdapter adapter) => Of(adapter.Modules.OrderBy(entry => entry.Key, StringComparer.Ordinal).SelectMany(entry => new Array[] { entry.Value.A, entry.Value.B }));

    /// <summary>Of rows, in order.</summary>
    public static string Of(IEnumerable<TokenRow> rows) => Of(rows.SelectMany(row => new Array[] { row.Tokens, row.LossWeights }));

    private static string Of(IEnumerable<Array> arrays)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var array in arrays)
        {
            hash.AppendData(BitConverter.GetBytes(array.Length));
            hash.AppendData(array is float[] floats ? MemoryMarshal.AsBytes<float>(floats) : MemoryMarshal.AsBytes<int>((int[])array));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
