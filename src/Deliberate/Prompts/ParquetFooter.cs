using System.Buffers.Binary;
using System.Globalization;

namespace Deliberate.Prompts;

/// <summary>
/// Checks that the footer of a Parquet file is whole, and its fields of their types, before a library reads it: Parquet.Net 6.1 goes round
/// in circles, or takes all memory, where a footer ends too early or a field is of another type. Walks the Thrift compact protocol (Apache
/// Thrift, "Thrift compact protocol") by the metadata's definition (Apache Parquet format, <c>parquet.thrift</c>); fields that it does not know may be anything whole.
/// </summary>
internal static class ParquetFooter
{
    // A file ends with the footer, the footer's length in four bytes, and "PAR1".
    private const int TailBytes = 8, Deepest = 64;

    // Structures by name: the number and the type of each field. i: an integer, b: a byte, f: a flag, s: text or bytes, [T: a list of T, else a structure.
    private static readonly Dictionary<string, Dictionary<int, string>> Structures = new Dictionary<string, string>
    {
        ["File"] = "1 i 2 [Element 3 i 4 [Group 5 [Pair 6 s 7 [Order 8 Cipher 9 s",
        ["Element"] = "1 i 2 i 3 i 4 s 5 i 6 i 7 i 8 i 9 i 10 Logical",
        ["Logical"] = "1 Empty 2 Empty 3 Empty 4 Empty 5 Decimal 6 Empty 7 Time 8 Time 10 Integer 11 Empty 12 Empty 13 Empty 14 Empty 15 Empty 16 Variant 17 Geometry 18 Geometry",
        ["Decimal"] = "1 i 2 i",
        ["Time"] = "1 f 2 Unit",
        ["Unit"] = "1 Empty 2 Empty 3 Empty",
        ["Integer"] = "1 b 2 f",
        ["Variant"] = "1 b",
        ["Geometry"] = "1 s 2 i",
        ["Pair"] = "1 s 2 s",
        ["Order"] = "1 Empty",
        ["Group"] = "1 [Chunk 2 i 3 i 4 [Sorting 5 i 6 i 7 i",
        ["Sorting"] = "1 i 2 f 3 f",
        ["Chunk"] = "1 s 2 i 3 Column 4 i 5 i 6 i 7 i 8 ColumnCipher 9 s",
        ["Column"] = "1 i 2 [i 3 [s 4 i 5 i 6 i 7 i 8 [Pair 9 i 10 i 11 i 12 Statistics 13 [EncodingStatistics 14 i 15 i 16 SizeStatistics",
        ["Statistics"] = "1 s 2 s 3 i 4 i 5 s 6 s 7 f 8 f",
        ["EncodingStatistics"] = "1 i 2 i 3 i",
        ["SizeStatistics"] = "1 i 2 [i 3 [i",
        ["Cipher"] = "1 Aes 2 Aes",
        ["Aes"] = "1 s 2 s 3 f",
        ["ColumnCipher"] = "1 Empty 2 ColumnKey",
        ["ColumnKey"] = "1 [s 2 s",
        ["Empty"] = "",
    }.ToDictionary(entry => entry.Key, entry => entry.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Chunk(2).ToDictionary(field => int.Parse(field[0], CultureInfo.InvariantCulture), field => field[1]));

    /// <summary>Reads the footer; the stream's position is not kept.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or the file has none.</exception>
    public static async Task CheckAsync(Stream stream, CancellationToken cancellationToken)
    {
        var tail = new byte[TailBytes];
        if (stream.Length < TailBytes) throw new InvalidDataException("the file is too short");
        stream.Position = stream.Length - TailBytes;
        await stream.ReadExactlyAsync(tail, cancellationToken).ConfigureAwait(false);
        var length = BinaryPrimitives.ReadInt32LittleEndian(tail);
        if (!tail.AsSpan(4).SequenceEqual("PAR1"u8)) throw new InvalidDataException("the file does not end with PAR1");
        if (length <= 0 || length > stream.Length - TailBytes) throw new InvalidDataException("the footer is longer than the file");
        var footer = new byte[length];
        stream.Position = stream.Length - TailBytes - length;
        await stream.ReadExactlyAsync(footer, cancellationToken).ConfigureAwait(false);
        new Walk(footer).Structure("File", 0);
    }

    private ref struct Walk(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public void Structure(string? name, int depth)
        {
            var fields = name is null ? null : Structures[name];
            var field = 0;
            for (var header = Byte(); header != 0; header = Byte())
            {
                // A field's number is told as a step from the last one's, or follows in zigzag.
                field = header >> 4 is var step and > 0 ? field + step : (int)Number() is var folded ? (folded >> 1) ^ -(folded & 1) : 0;
                Value(header & 15, fields?.GetValueOrDefault(field), depth + 1, inList: false);
            }
        }

        // A value of this wire type; null: whatever it is.
        private void Value(int wire, string? type, int depth, bool inList)
        {
            if (depth > Deepest || !Fits(wire, type)) throw Damaged();
            switch (wire)
            {
                case 1 or 2: // a flag: its header tells it, except in a list
                    if (inList) Skip(1);
                    break;
                case 3:
                    Skip(1);
                    break;
                case 4 or 5 or 6:
                    Number();
                    break;
                case 7:
                    Skip(8);
                    break;
                case 8:
                    Skip(Number());
                    break;
                case 9 or 10:
                    var header = Byte();
                    var count = header >> 4 == 15 ? Number() : (ulong)(header >> 4);
                    // Every element takes a byte at least.
                    if (count > (ulong)_rest.Length) throw Damaged();
                    for (var i = 0UL; i < count; i++) Value(header & 15, type?[1..], depth + 1, inList: true);
                    break;
                default:
                    Structure(type, depth);
                    break;
            }
        }

        private static bool Fits(int wire, string? type) => type switch
        {
            null => wire is >= 1 and <= 10 or 12,
            "f" => wire is 1 or 2,
            "b" => wire == 3,
            "i" => wire is 4 or 5 or 6,
            "s" => wire == 8,
            ['[', ..] => wire is 9 or 10,
            _ => wire == 12,
        };

        private int Byte()
        {
            if (_rest.IsEmpty) throw Damaged();
            var value = _rest[0];
            _rest = _rest[1..];
            return value;
        }

        private ulong Number()
        {
            var value = 0UL;
            for (var shift = 0; shift < 70; shift += 7)
            {
                var part = Byte();
                value |= (ulong)(part & 127) << shift;
                if (part < 128) return value;
            }

            throw Damaged();
        }

        private void Skip(ulong count)
        {
            if (count > (ulong)_rest.Length) throw Damaged();
            _rest = _rest[(int)count..];
        }

        private static InvalidDataException Damaged() => new("its footer is damaged");
    }
}
