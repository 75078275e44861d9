using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Models;

/// <summary>One tensor of a safetensors file, as fp32 whatever it is stored as.</summary>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Values">Its values, row-major.</param>
public sealed record StoredTensor(IReadOnlyList<long> Shape, float[] Values);

/// <summary>How values are stored.</summary>
public enum StorageType
{
    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>bfloat16, rounded to nearest even.</summary>
    BF16,
}

/// <summary>Small safetensors files in one call, as fp32; <see cref="SafeTensorsFile"/> and <see cref="SafeTensorsWriter"/> do the work.</summary>
public static class SafeTensors
{
    /// <summary>Reads a whole file.</summary>
    /// <exception cref="InvalidDataException">The file breaks the format or holds a type that fp32 cannot; the message names the file and the field.</exception>
    public static (IReadOnlyDictionary<string, StoredTensor> Tensors, IReadOnlyDictionary<string, string> Metadata) Read(string path)
    {
        using var file = SafeTensorsFile.Open(path);
        return (file.Tensors.Values.ToDictionary(tensor => tensor.Name, tensor => new StoredTensor(tensor.Shape, file.Values(tensor.Name)), StringComparer.Ordinal), file.Metadata);
    }

    /// <summary>Writes a file atomically. Tensors stand in the order given; the header is padded to eight bytes.</summary>
    public static void Write(string path, IEnumerable<(string Name, IReadOnlyList<long> Shape, float[] Values)> tensors, StorageType type, IReadOnlyDictionary<string, string>? metadata = null) =>
        SafeTensorsWriter.WriteInOrder(path, [.. tensors.Select(tensor => new TensorToWrite(tensor.Name, type == StorageType.F32 ? TensorType.F32 : TensorType.BF16, tensor.Shape, () => tensor.Values))], metadata);
}

/// <summary>bfloat16: the upper half of an IEEE single.</summary>
public static class BFloat16
{
    /// <summary>Rounds to nearest even; NaN stays NaN.</summary>
    public static ushort FromSingle(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Widens, exactly.</summary>
    public static float ToSingle(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);
}
