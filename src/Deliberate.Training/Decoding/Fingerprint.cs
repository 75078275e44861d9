using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Deliberate.Inference.Models;

namespace Deliberate.Training.Decoding;

/// <summary>Short hashes of what a run depends on, so that a checkpoint is not continued with something else.</summary>
internal static class Fingerprint
{
    /// <summary>Of all parameters.</summary>
    public static string Of(ModelWeights weights) => Of(weights.Config.Tensors().Select(tensor => weights[tensor.Name]));

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
