using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Deliberate.Inference.Files;

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

/// <summary>
/// Reads and writes the safetensors format: eight bytes of header length, a JSON header, then the tensors without gaps.
/// </summary>
public static class SafeTensors
{
    private const int MaxHeader = 100_000_000;

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="InvalidDataException">The file breaks the format; the message names the file and the field.</exception>
    public static (IReadOnlyDictionary<string, StoredTensor> Tensors, IReadOnlyDictionary<string, string> Metadata) Read(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path));
        }
        catch (Exception error) when (error is InvalidDataException or JsonException or InvalidOperationException or OverflowException or FormatException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{path}: not a valid safetensors file: {OneLine.Of(error.Message)}", error);
        }
    }

    /// <summary>Writes a file atomically. Tensors stand in the order given; the header is padded to eight bytes.</summary>
    public static void Write(string path, IEnumerable<(string Name, IReadOnlyList<long> Shape, float[] Values)> tensors, StorageType type, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var list = tensors.ToArray();
        var size = type == StorageType.F32 ? 4 : 2;
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }

            long offset = 0;
            foreach (var (name, shape, values) in list)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", type == StorageType.F32 ? "F32" : "BF16");
                json.WriteStartArray("shape");
                foreach (var dimension in shape) json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                offset += (long)values.Length * size;
                json.WriteNumberValue(offset);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (header.Length % 8 != 0) header.WriteByte((byte)' ');
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            header.WriteTo(stream);
            foreach (var (_, _, values) in list)
            {
                if (type == StorageType.F32) stream.Write(MemoryMarshal.AsBytes(values.AsSpan()));
                else stream.Write(MemoryMarshal.AsBytes(Array.ConvertAll(values, BFloat16.FromSingle).AsSpan()));
            }
        });
    }

    private static (Dictionary<string, StoredTensor>, Dictionary<string, string>) Parse(byte[] file)
    {
        if (file.Length < 8) throw new InvalidDataException("it is shorter than its eight bytes of header length.");
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file);
        if (headerLength > MaxHeader || headerLength > (ulong)file.Length - 8) throw new InvalidDataException($"the header claims {headerLength} bytes.");
        var data = file.AsSpan(8 + (int)headerLength);
        using var header = JsonDocument.Parse(file.AsMemory(8, (int)headerLength));
        var tensors = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var ranges = new List<(long Start, long End, string Name)>();
        foreach (var entry in header.RootElement.EnumerateObject())
        {
            if (entry.NameEquals("__metadata__"))
            {
                foreach (var item in entry.Value.EnumerateObject()) metadata[item.Name] = item.Value.GetString() ?? "";
                continue;
            }

            var offsets = entry.Value.GetProperty("data_offsets");
            if (offsets.GetArrayLength() != 2) throw new InvalidDataException($"tensor '{entry.Name}' has {offsets.GetArrayLength()} data_offsets, not a start and an end.");
            var (start, end) = (offsets[0].GetInt64(), offsets[1].GetInt64());
            if (start < 0 || end < start || end > data.Length) throw new InvalidDataException($"tensor '{entry.Name}' has data_offsets {start}..{end} outside the {data.Length} bytes of data.");
            var shape = entry.Value.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetInt64()).ToArray();
            if (shape.Any(dimension => dimension < 0)) throw new InvalidDataException($"tensor '{entry.Name}' has a negative dimension.");
            var type = entry.Value.GetProperty("dtype").GetString();
            var size = type switch { "F32" => 4, "BF16" or "F16" => 2, _ => throw new InvalidDataException($"tensor '{entry.Name}' has dtype '{type}'; F32, F16 and BF16 are read.") };
            var count = shape.Aggregate(1L, (product, dimension) => checked(product * dimension));
            if (checked(count * size) != end - start) throw new InvalidDataException($"tensor '{entry.Name}' of shape [{string.Join(", ", shape)}] and dtype {type} needs {count * size} bytes, not {end - start}.");
            if (!tensors.TryAdd(entry.Name, new(shape, Decode(data[(int)start..(int)end], type!)))) throw new InvalidDataException($"tensor '{entry.Name}' occurs twice.");
            ranges.Add((start, end, entry.Name));
        }

        long next = 0;
        foreach (var (start, end, name) in ranges.OrderBy(range => range.Start).ThenBy(range => range.End))
        {
            if (start != next) throw new InvalidDataException($"tensor '{name}' starts at {start}, not where the one before it ends ({next}).");
            next = end;
        }

        if (next != data.Length) throw new InvalidDataException($"{data.Length - next} bytes of data belong to no tensor.");
        return (tensors, metadata);
    }

    private static float[] Decode(ReadOnlySpan<byte> bytes, string type)
    {
        if (type == "F32") return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        var values = new float[bytes.Length / 2];
        if (type == "BF16")
        {
            var raw = MemoryMarshal.Cast<byte, ushort>(bytes);
            for (var i = 0; i < values.Length; i++) values[i] = BFloat16.ToSingle(raw[i]);
        }
        else
        {
            var raw = MemoryMarshal.Cast<byte, Half>(bytes);
            for (var i = 0; i < values.Length; i++) values[i] = (float)raw[i];
        }

        return values;
    }
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
