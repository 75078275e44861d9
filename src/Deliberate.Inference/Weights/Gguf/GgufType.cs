namespace Deliberate.Inference.Weights.Gguf;

/// <summary>How a GGUF file stores values; the numbers are those of the format (ggml's <c>ggml_type</c>).</summary>
public enum GgufType
{
    /// <summary>IEEE single precision.</summary>
    F32 = 0,

    /// <summary>IEEE half precision.</summary>
    F16 = 1,

    /// <summary>4 bits, blocks of 32 with a scale.</summary>
    Q40 = 2,

    /// <summary>4 bits, blocks of 32 with scale and minimum.</summary>
    Q41 = 3,

    /// <summary>5 bits, blocks of 32 with a scale.</summary>
    Q50 = 6,

    /// <summary>5 bits, blocks of 32 with scale and minimum.</summary>
    Q51 = 7,

    /// <summary>8 bits, blocks of 32 with a scale.</summary>
    Q80 = 8,

    /// <summary>2 bits, blocks of 256 in 16 groups with scale and minimum.</summary>
    Q2K = 10,

    /// <summary>3 bits, blocks of 256 in 16 groups with a scale.</summary>
    Q3K = 11,

    /// <summary>4 bits, blocks of 256 in 8 groups with scale and minimum.</summary>
    Q4K = 12,

    /// <summary>5 bits, blocks of 256 in 8 groups with scale and minimum.</summary>
    Q5K = 13,

    /// <summary>6 bits, blocks of 256 in 16 groups with a scale.</summary>
    Q6K = 14,

    /// <summary>bfloat16.</summary>
    BF16 = 30,
}

/// <summary>Sizes of <see cref="GgufType"/>.</summary>
public static class GgufTypes
{
    /// <summary>Values and bytes of one block.</summary>
    public static (int Values, int Bytes) Block(this GgufType type) => type switch
    {
        GgufType.F32 => (1, 4),
        GgufType.F16 or GgufType.BF16 => (1, 2),
        GgufType.Q40 => (32, 18),
        GgufType.Q41 => (32, 20),
        GgufType.Q50 => (32, 22),
        GgufType.Q51 => (32, 24),
        GgufType.Q80 => (32, 34),
        GgufType.Q2K => (256, 84),
        GgufType.Q3K => (256, 110),
        GgufType.Q4K => (256, 144),
        GgufType.Q5K => (256, 176),
        GgufType.Q6K => (256, 210),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    /// <summary>The type's name as llama.cpp writes it.</summary>
    public static string DisplayName(this GgufType type) => type switch
    {
        GgufType.F32 or GgufType.F16 or GgufType.BF16 => type.ToString(),
        _ => $"{type.ToString()[..2]}_{type.ToString()[2..]}",
    };
}
