using System.Runtime.InteropServices;
using Deliberate.Inference.Models;

namespace Deliberate.Inference.Weights;

/// <summary>How a safetensors file stores values; named as in its headers (<c>F8_E4M3</c> but for the underscore). Ordered by alignment, as the format's own writer sorts.</summary>
public enum TensorType
{
    /// <summary>One byte, 0 or 1.</summary>
    BOOL,

    /// <summary>Unsigned byte.</summary>
    U8,

    /// <summary>Signed byte.</summary>
    I8,

    /// <summary>8-bit float with 5 exponent bits: the upper half of IEEE half precision.</summary>
    F8E5M2,

    /// <summary>8-bit float with 4 exponent bits, bias 7, no infinities; NaN is 0x7F and 0xFF.</summary>
    F8E4M3,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>bfloat16: the upper half of IEEE single precision.</summary>
    BF16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>IEEE double precision.</summary>
    F64,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,
}

/// <summary>Sizes and exact conversions of <see cref="TensorType"/>.</summary>
public static class TensorTypes
{
    private static readonly Dictionary<string, TensorType> Names = Enum.GetValues<TensorType>().ToDictionary(HeaderName, StringComparer.Ordinal);

    // In the format since 0.6; nothing here computes with them.
    private static readonly HashSet<string> NotRead = ["F4", "F6_E2M3", "F6_E3M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "C64"];

    /// <summary>Bytes of one value.</summary>
    public static int Size(this TensorType type) => type switch
    {
        <= TensorType.F8E4M3 => 1,
        <= TensorType.BF16 => 2,
        <= TensorType.F32 => 4,
        _ => 8,
    };

    /// <summary>Whether every value of the type is also a single-precision value.</summary>
    public static bool FitsSingle(this TensorType type) => type <= TensorType.BF16 || type == TensorType.F32;

    /// <summary>The type's name in a header.</summary>
    public static string HeaderName(this TensorType type) => type switch { TensorType.F8E4M3 => "F8_E4M3", TensorType.F8E5M2 => "F8_E5M2", _ => type.ToString() };

    internal static TensorType Parse(string name) => Names.TryGetValue(name, out var type) ? type
        : throw new InvalidDataException(NotRead.Contains(name) ? $"dtype {name} belongs to the format but is not read here" : $"dtype '{name}' is not known");

    /// <summary>Widens values to fp32, exactly.</summary>
    /// <param name="type">How <paramref name="bytes"/> stores them; <see cref="FitsSingle"/> holds.</param>
    /// <param name="bytes">Little-endian values.</param>
    /// <param name="values">As many values.</param>
    /// <exception cref="InvalidDataException">The type has values that fp32 has not.</exception>
    public static void ToSingle(this TensorType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        if (bytes.Length != (long)values.Length * type.Size()) throw new ArgumentException($"{bytes.Length} bytes are not {values.Length} values of {type}.");
        switch (type)
        {
            case TensorType.F32: bytes.CopyTo(MemoryMarshal.AsBytes(values)); break;
            case TensorType.BF16: Each(MemoryMarshal.Cast<byte, ushort>(bytes), values, BFloat16.ToSingle); break;
            case TensorType.F16: Each(MemoryMarshal.Cast<byte, Half>(bytes), values, value => (float)value); break;
            case TensorType.F8E5M2: Each(bytes, values, value => (float)BitConverter.UInt16BitsToHalf((ushort)(value << 8))); break;
            case TensorType.F8E4M3: Each(bytes, values, E4M3); break;
            case TensorType.BOOL or TensorType.U8: Each(bytes, values, value => value); break;
            case TensorType.I8: Each(bytes, values, value => (sbyte)value); break;
            case TensorType.I16: Each(MemoryMarshal.Cast<byte, short>(bytes), values, value => value); break;
            case TensorType.U16: Each(MemoryMarshal.Cast<byte, ushort>(bytes), values, value => value); break;
            default: throw new InvalidDataException($"dtype {type} has values that fp32 cannot hold; it is not converted");
        }
    }

    private static void Each<T>(ReadOnlySpan<T> from, Span<float> to, Func<T, float> convert)
    {
        for (var i = 0; i < to.Length; i++) to[i] = convert(from[i]);
    }

    private static float E4M3(byte value)
    {
        int exponent = (value >> 3) & 15, fraction = value & 7;
        var magnitude = (exponent, fraction) switch
        {
            (15, 7) => float.NaN,
            (0, _) => fraction / 512f,
            _ => (8 + fraction) * MathF.ScaleB(1, exponent - 10),
        };
        return value >= 128 ? -magnitude : magnitude;
    }
}
