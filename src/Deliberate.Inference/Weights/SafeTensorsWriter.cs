using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Deliberate.Inference.Files;
using Deliberate.Inference.Models;

namespace Deliberate.Inference.Weights;

/// <summary>
/// Writes safetensors as the reference does: tensors by falling alignment of their type, then by name, the header padded with
/// spaces to eight bytes. Equal input gives equal bytes. Each file appears whole or not at all.
/// </summary>
public static partial class SafeTensorsWriter
{
    private const string Single = "model.safetensors";
    private const int PartLength = 1 << 18;

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes one file.</summary>
    /// <exception cref="ArgumentException">A type is not F32, F16 or BF16, a name repeats, or a tensor gives another number of values than its shape says.</exception>
    /// <exception cref="InvalidDataException">F16 cannot hold a value.</exception>
    public static void Write(string path, IEnumerable<TensorToWrite> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        WriteInOrder(path, [.. InOrder(tensors)], metadata);
    }

    internal static void WriteInOrder(string path, IReadOnlyList<TensorToWrite> list, IReadOnlyDictionary<string, string>? metadata)
    {
        Check(list);
        AtomicFile.Write(path, Content(list, metadata));
    }

    private static void Check(IReadOnlyList<TensorToWrite> list)
    {
        if (list.GroupBy(tensor => tensor.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice) throw new ArgumentException($"Tensor '{twice.Key}' is there twice.");
        if (list.FirstOrDefault(tensor => tensor.Type is not (TensorType.F32 or TensorType.F16 or TensorType.BF16)) is { } other) throw new ArgumentException($"Tensor '{other.Name}': {other.Type} is not written; F32, F16 and BF16 are.");
    }

    private static Action<Stream> Content(IReadOnlyList<TensorToWrite> list, IReadOnlyDictionary<string, string>? metadata)
    {
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header, Plain))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }

            long offset = 0;
            foreach (var tensor in list)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.HeaderName());
                json.WriteStartArray("shape");
                foreach (var dimension in tensor.Shape) json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (header.Length % 8 != 0) header.WriteByte((byte)' ');
        var bytes = header.ToArray();
        return stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)bytes.Length);
            stream.Write(length);
            stream.Write(bytes);
            foreach (var tensor in list) WriteValues(stream, tensor);
        };
    }

    private static IEnumerable<TensorToWrite> InOrder(IEnumerable<TensorToWrite> tensors) => tensors.OrderByDescending(tensor => tensor.Type).ThenBy(tensor => tensor.Name, StringComparer.Ordinal);

    /// <summary>
    /// Writes <c>model.safetensors</c> into a folder, or, where it would pass <paramref name="maxShard"/> bytes of data,
    /// <c>model-00001-of-0000N.safetensors</c> and <c>model.safetensors.index.json</c>. A tensor is never split. Weights that the folder
    /// held are replaced when all new ones are on the disk: at any moment a reader finds the old, the new, or an error, never a mixture.
    /// </summary>
    /// <exception cref="ArgumentException">As for <see cref="Write"/>.</exception>
    public static void WriteModel(string folder, IEnumerable<TensorToWrite> tensors, long maxShard, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxShard, 1);
        TensorToWrite[] all = [.. tensors];
        Check(all);
        var shards = Shards(all, maxShard);
        string[] names = [.. shards.Select((_, i) => shards.Count == 1 ? Single : string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors"))];
        string Of(string name) => Path.Combine(folder, name);
        Directory.CreateDirectory(folder);
        var staged = new List<string>();
        try
        {
            for (var i = 0; i < names.Length; i++) staged.Add(AtomicFile.Stage(Of(names[i]), Content([.. InOrder(shards[i])], metadata)));
        }
        catch
        {
            staged.ForEach(File.Delete);
            throw;
        }

        var index = Of(TensorFolder.IndexName);
        // Shards of the same names are replaced one by one; without the index nobody reads them meanwhile.
        if (names.Any(name => File.Exists(Of(name)))) File.Delete(index);
        for (var i = 0; i < names.Length; i++) File.Move(staged[i], Of(names[i]), overwrite: true);
        if (names.Length > 1)
        {
            var map = new SortedDictionary<string, string>(StringComparer.Ordinal);
            for (var i = 0; i < names.Length; i++)
                foreach (var tensor in shards[i]) map[tensor.Name] = names[i];
            AtomicFile.Write(index, stream => JsonSerializer.Serialize(stream,
                new { metadata = new { total_parameters = all.Sum(tensor => tensor.Count), total_size = all.Sum(tensor => tensor.Length) }, weight_map = map }, Indented));
            File.Delete(Of(Single));
        }
        else File.Delete(index);
        foreach (var file in Directory.EnumerateFiles(folder, "model-*.safetensors"))
            if (ShardName().IsMatch(Path.GetFileName(file)) && !names.Contains(Path.GetFileName(file))) File.Delete(file);
    }

    private static List<List<TensorToWrite>> Shards(IEnumerable<TensorToWrite> tensors, long maxShard)
    {
        List<List<TensorToWrite>> shards = [[]];
        long size = 0;
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            if (shards[^1].Count > 0 && size + tensor.Length > maxShard)
            {
                shards.Add([]);
                size = 0;
            }

            shards[^1].Add(tensor);
            size += tensor.Length;
        }

        return shards;
    }

    private static void WriteValues(Stream stream, TensorToWrite tensor)
    {
        var (count, read) = (tensor.Count, tensor.Open());
        var values = new float[Math.Min(count, PartLength)];
        var narrow = new ushort[tensor.Type == TensorType.F32 ? 0 : values.Length];
        for (long start = 0; start < count; start += values.Length)
        {
            var part = values.AsSpan(0, (int)Math.Min(values.Length, count - start));
            read(start, part);
            if (tensor.Type == TensorType.F32)
            {
                stream.Write(MemoryMarshal.AsBytes(part));
                continue;
            }

            for (var i = 0; i < part.Length; i++) narrow[i] = tensor.Type == TensorType.BF16 ? BFloat16.FromSingle(part[i]) : HalfOf(part[i], tensor.Name);
            stream.Write(MemoryMarshal.AsBytes(narrow.AsSpan(0, part.Length)));
        }
    }

    private static ushort HalfOf(float value, string tensor)
    {
        var half = (Half)value;
        return Half.IsInfinity(half) && !float.IsInfinity(value) ? throw new InvalidDataException($"Tensor '{tensor}' has the value {value:g4}, which F16 cannot hold; write BF16 or F32.") : BitConverter.HalfToUInt16Bits(half);
    }

    [GeneratedRegex(@"^model-[0-9]{5}-of-[0-9]{5}\.safetensors\z")]
    private static partial Regex ShardName();
}
