namespace Deliberate.Inference.Weights.Gguf;

/// <summary>ggml's K forms: blocks of 256 values in groups, whose scales are packed numbers times a scale of the block.</summary>
internal static class KQuants
{
    /// <summary>16 bytes of scale (low nibble) and minimum (high nibble), 64 of values, scale, scale of minima.</summary>
    public static void Two(ReadOnlySpan<byte> block, Span<float> to)
    {
        var (scale, minimum) = (Dequantization.Half(block[80..]), Dequantization.Half(block[82..]));
        for (var i = 0; i < 256; i++)
        {
            var group = block[i / 16];
            to[i] = scale * (group & 15) * TwoBits(block[16..], i) - minimum * (group >> 4);
        }
    }

    /// <summary>32 bytes of high bits, 64 of low ones, 12 of 6-bit scales, scale.</summary>
    public static void Three(ReadOnlySpan<byte> block, Span<float> to)
    {
        var scales = block[96..];
        var scale = Dequantization.Half(block[108..]);
        for (var i = 0; i < 256; i++)
        {
            var group = i / 16;
            var low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
            var high = (scales[8 + group % 4] >> (2 * (group / 4))) & 3;
            var isHigh = ((block[i % 32] >> (i / 32)) & 1) != 0;
            to[i] = scale * ((low | high << 4) - 32) * (TwoBits(block[32..], i) - (isHigh ? 0 : 4));
        }
    }

    /// <summary>Scale, scale of minima, 12 bytes of 6-bit scales and minima, for five bits 32 bytes of high ones, 128 of nibbles.</summary>
    public static void FourOrFive(ReadOnlySpan<byte> block, ReadOnlySpan<byte> high, ReadOnlySpan<byte> nibbles, Span<float> to)
    {
        var (scale, minimum) = (Dequantization.Half(block), Dequantization.Half(block[2..]));
        var packed = block.Slice(4, 12);
        for (var group = 0; group < 8; group++)
        {
            var (groupScale, groupMinimum) = group < 4 ? (packed[group] & 63, packed[group + 4] & 63)
                : ((packed[group + 4] & 15) | packed[group - 4] >> 6 << 4, packed[group + 4] >> 4 | packed[group] >> 6 << 4);
            var (d, m) = (scale * groupScale, minimum * groupMinimum);
            for (var i = 0; i < 32; i++)
            {
                var value = (nibbles[group / 2 * 32 + i] >> (group % 2 * 4)) & 15;
                if (!high.IsEmpty) value |= ((high[i] >> group) & 1) << 4;
                to[group * 32 + i] = d * value - m;
            }
        }
    }

    /// <summary>128 bytes of nibbles, 64 of high bits, 16 signed scales, scale.</summary>
    public static void Six(ReadOnlySpan<byte> block, Span<float> to)
    {
        var scale = Dequantization.Half(block[208..]);
        for (var i = 0; i < 256; i++)
        {
            // Each half of 128 has four rows of 32: two share the nibbles of a byte, all four the bits of another.
            int half = i / 128, row = i / 32 % 4, column = i % 32;
            var low = (block[half * 64 + row % 2 * 32 + column] >> (row / 2 * 4)) & 15;
            var high = (block[128 + half * 32 + column] >> (row * 2)) & 3;
            to[i] = scale * (sbyte)block[192 + i / 16] * ((low | high << 4) - 32);
        }
    }

    // Each half of 128 lies in 32 bytes, four rows of two bits in each.
    private static int TwoBits(ReadOnlySpan<byte> packed, int i) => (packed[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2)) & 3;
}
