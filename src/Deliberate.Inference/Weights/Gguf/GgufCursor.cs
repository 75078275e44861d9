using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Deliberate.Inference.Weights.Gguf;

/// <summary>Reads numbers and texts of a GGUF header in order; every count is held against the bytes that are left before memory is asked for.</summary>
internal sealed class GgufCursor(MappedFile file, long position)
{
    private const int MaxDepth = 4;
    private const int LongestText = 1 << 26;
    private const int ArrayType = 9;

    /// <summary>Where the next byte is.</summary>
    public long Position { get; private set; } = position;

    private long Left => file.Length - Position;

    public uint U32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    public ulong U64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>A number of things of at least <paramref name="smallest"/> bytes each.</summary>
    public int Count(string what, int smallest) => U64(what) is var count && count <= (ulong)(Left / smallest) && count <= int.MaxValue / 8 ? (int)count
        : throw new InvalidDataException($"{what} is {count}, but only {Left} bytes follow.");

    public string Text(string what)
    {
        var length = Count($"the length of {what}", 1);
        if (length > LongestText) throw new InvalidDataException($"{what} has {length} bytes; at most {LongestText} are read.");
        var bytes = Take(length, what);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw new InvalidDataException($"{what} is not valid UTF-8.");
    }

    public object Value(uint type, string what, int depth = 0) => type switch
    {
        0 => Take(1, what)[0],
        1 => (sbyte)Take(1, what)[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, what)),
        3 => BinaryPrimitives.ReadInt16LittleEndian(Take(2, what)),
        4 => U32(what),
        5 => BinaryPrimitives.ReadInt32LittleEndian(Take(4, what)),
        6 => BinaryPrimitives.ReadSingleLittleEndian(Take(4, what)),
        7 => Take(1, what)[0] switch { 0 => false, 1 => true, var other => throw new InvalidDataException($"{what} is a truth value of {other}.") },
        8 => Text(what),
        ArrayType => List(what, depth),
        10 => U64(what),
        11 => BinaryPrimitives.ReadInt64LittleEndian(Take(8, what)),
        12 => BinaryPrimitives.ReadDoubleLittleEndian(Take(8, what)),
        _ => throw new InvalidDataException($"{what} has type {type}, which the format does not have."),
    };

    private Array List(string what, int depth)
    {
        if (depth == MaxDepth) throw new InvalidDataException($"{what} is nested deeper than {MaxDepth}.");
        var type = U32(what);
        return type switch
        {
            0 => Items<byte>(1),
            1 => Items<sbyte>(1),
            2 => Items<ushort>(2),
            3 => Items<short>(2),
            4 => Items<uint>(4),
            5 => Items<int>(4),
            6 => Items<float>(4),
            7 => Items<bool>(1),
            8 => Items<string>(8),
            ArrayType => Items<Array>(12),
            10 => Items<ulong>(8),
            11 => Items<long>(8),
            12 => Items<double>(8),
            _ => throw new InvalidDataException($"{what} is a list of type {type}, which the format does not have."),
        };

        T[] Items<T>(int smallest)
        {
            var items = new T[Count($"the length of {what}", smallest)];
            for (var i = 0; i < items.Length; i++) items[i] = (T)Value(type, what, depth + 1);
            return items;
        }
    }

    private ReadOnlySpan<byte> Take(int count, string what)
    {
        if (count > Left) throw new InvalidDataException($"it ends within {what}.");
        var bytes = file.Bytes(Position, count);
        Position += count;
        return bytes;
    }
}
