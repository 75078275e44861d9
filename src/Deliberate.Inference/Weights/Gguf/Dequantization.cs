using System.Runtime.InteropServices;

namespace Deliberate.Inference.Weights.Gguf;

/// <summary>
/// Values of ggml's blocks in fp32: the same products and sums in the same order as the reference, so the results are equal to the bit.
/// Blocks of 32 keep low nibbles in the first half of a block and high ones in the second; the K forms are in <see cref="KQuants"/>.
/// </summary>
public static class Dequantization
{
    // Added to anything, zeros of either sign included, it changes nothing.
    private const float None = -0f;

    /// <summary>Unpacks whole blocks.</summary>
    /// <exception cref="ArgumentException">Bytes and values do not match.</exception>
    public static void ToSingle(GgufType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        var (perBlock, size) = type.Block();
        if (values.Length % perBlock != 0 || (long)values.Length / perBlock * size != bytes.Length) throw new ArgumentException($"{bytes.Length} bytes are not {values.Length} values of {type.DisplayName()}.");
        switch (type)
        {
            case GgufType.F32: TensorType.F32.ToSingle(bytes, values); return;
            case GgufType.F16: TensorType.F16.ToSingle(bytes, values); return;
            case GgufType.BF16: TensorType.BF16.ToSingle(bytes, values); return;
        }

        for (var i = 0; i < values.Length / perBlock; i++)
        {
            var block = bytes.Slice(i * size, size);
            var to = values.Slice(i * perBlock, perBlock);
            switch (type)
            {
                case GgufType.Q40: Four(block[2..], to, Half(block), -8, None); break;
                case GgufType.Q41: Four(block[4..], to, Half(block), 0, Half(block[2..])); break;
                case GgufType.Q50: Five(block[2..], to, Half(block), -16, None); break;
                case GgufType.Q51: Five(block[4..], to, Half(block), 0, Half(block[2..])); break;
                case GgufType.Q80: Eight(block, to); break;
                case GgufType.Q2K: KQuants.Two(block, to); break;
                case GgufType.Q3K: KQuants.Three(block, to); break;
                case GgufType.Q4K: KQuants.FourOrFive(block, [], block[16..], to); break;
                case GgufType.Q5K: KQuants.FourOrFive(block, block.Slice(16, 32), block[48..], to); break;
                default: KQuants.Six(block, to); break;
            }
        }
    }

    internal static float Half(ReadOnlySpan<byte> bytes) => (float)MemoryMarshal.Read<Half>(bytes);

    private static void Four(ReadOnlySpan<byte> packed, Span<float> to, float scale, int shift, float minimum)
    {
        for (var i = 0; i < 16; i++)
        {
            to[i] = scale * ((packed[i] & 15) + shift) + minimum;
            to[i + 16] = scale * ((packed[i] >> 4) + shift) + minimum;
        }
    }

    private static void Five(ReadOnlySpan<byte> packed, Span<float> to, float scale, int shift, float minimum)
    {
        var high = MemoryMarshal.Read<uint>(packed);
        for (var i = 0; i < 16; i++)
        {
            to[i] = scale * (((packed[4 + i] & 15) | (int)((high >> i) & 1) << 4) + shift) + minimum;
            to[i + 16] = scale * (((packed[4 + i] >> 4) | (int)((high >> (i + 16)) & 1) << 4) + shift) + minimum;
        }
    }

    private static void Eight(ReadOnlySpan<byte> block, Span<float> to)
    {
        var scale = Half(block);
        for (var i = 0; i < 32; i++) to[i] = scale * (sbyte)block[2 + i];
    }
}
