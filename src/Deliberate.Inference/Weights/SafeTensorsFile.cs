using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Deliberate.Inference.Files;

namespace Deliberate.Inference.Weights;

/// <summary>
/// A safetensors file, memory-mapped: eight bytes of header length, a JSON header, then the tensors without gaps
/// (https://github.com/huggingface/safetensors). Only the header is read when it is opened.
/// </summary>
/// <remarks>Thread-safe. Spans it gives are valid until it is disposed. Stricter than the reference: unknown fields and repeated names are refused.</remarks>
public sealed class SafeTensorsFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly Dictionary<string, TensorInfo> _tensors;

    private SafeTensorsFile(MappedFile file, Dictionary<string, TensorInfo> tensors, Dictionary<string, string> metadata) =>
        (_file, _tensors, Metadata) = (file, tensors, metadata);

    /// <summary>Where it was opened.</summary>
    public string Path => _file.Path;

    /// <summary>Its tensors by name.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    /// <summary>The texts under <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header against the file's size.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">The file breaks the format; the message names file, tensor and field.</exception>
    public static SafeTensorsFile Open(string path)
    {
        var file = new MappedFile(path);
        try
        {
            if (file.Length < 8) throw new InvalidDataException("it is shorter than its eight bytes of header length.");
            var length = BinaryPrimitives.ReadUInt64LittleEndian(file.Bytes(0, 8));
            if (length > SafeTensorsHeader.MaxLength || length > (ulong)file.Length - 8)
                throw new InvalidDataException($"the header claims {length} bytes; the file has {file.Length - 8} and the format allows {SafeTensorsHeader.MaxLength}.");
            var (tensors, metadata) = SafeTensorsHeader.Parse(file.Bytes(8, (int)length), file.Length - 8 - (long)length);
            return new(file, tensors, metadata);
        }
        catch (Exception error)
        {
            file.Dispose();
            if (error is InvalidDataException or JsonException or InvalidOperationException)
                throw new InvalidDataException($"{path}: not a valid safetensors file: {OneLine.Of(error.Message)}", error);
            throw;
        }
    }

    /// <summary>What the header says of this tensor.</summary>
    /// <exception cref="InvalidDataException">There is none of this name.</exception>
    public TensorInfo this[string name] => _tensors.TryGetValue(name, out var tensor) ? tensor : throw new InvalidDataException($"{Path}: tensor '{name}' is missing.");

    /// <summary>A tensor's bytes as stored, little-endian, row-major; not copied.</summary>
    /// <exception cref="InvalidDataException">There is none of this name, or it is too large for one span (2 GiB): read it in parts.</exception>
    public ReadOnlySpan<byte> Bytes(string name) => this[name] is var tensor && tensor.Length <= int.MaxValue ? _file.Bytes(tensor.Start, (int)tensor.Length)
        : throw new InvalidDataException($"{Path}: tensor '{name}' has {tensor.Length} bytes; read it in parts.");

    /// <summary>A part of a tensor's bytes; not copied.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The part reaches beyond it.</exception>
    public ReadOnlySpan<byte> Bytes(string name, long start, int count)
    {
        var tensor = this[name];
        if (start < 0 || count < 0 || start > tensor.Length - count) throw new ArgumentOutOfRangeException(nameof(start), $"Tensor '{name}' has {tensor.Length} bytes.");
        return _file.Bytes(tensor.Start + start, count);
    }

    /// <summary>Reads values <paramref name="start"/> onwards into <paramref name="values"/>, widened to fp32 exactly.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor, or fp32 cannot hold its type.</exception>
    public void Read(string name, long start, Span<float> values)
    {
        var tensor = this[name];
        if (start < 0 || start > tensor.Count - values.Length) throw new ArgumentOutOfRangeException(nameof(start), $"Tensor '{name}' has {tensor.Count} values.");
        var size = tensor.Type.Size();
        if (!tensor.Type.FitsSingle()) throw new InvalidDataException($"{Path}: tensor '{name}' has dtype {tensor.Type}, which fp32 cannot hold.");
        // In parts, so that no run of bytes passes what a span can count.
        const int Part = 1 << 24;
        for (var done = 0; done < values.Length; done += Part)
        {
            var part = values[done..Math.Min(values.Length, done + Part)];
            tensor.Type.ToSingle(_file.Bytes(tensor.Start + (start + done) * size, part.Length * size), part);
        }
    }

    /// <summary>The whole tensor in fp32.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor, fp32 cannot hold its type, or it has more values than an array.</exception>
    public float[] Values(string name)
    {
        var count = this[name].Count;
        if (count > Array.MaxLength) throw new InvalidDataException($"{Path}: tensor '{name}' has {count} values; read it in parts.");
        var values = new float[count];
        Read(name, 0, values);
        return values;
    }

    /// <summary>The whole tensor as 64-bit integers; its type is I64, I32, U8 or BOOL.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor, or it has another type.</exception>
    public long[] Integers(string name)
    {
        var bytes = Bytes(name);
        return this[name].Type switch
        {
            TensorType.I64 => MemoryMarshal.Cast<byte, long>(bytes).ToArray(),
            TensorType.I32 => Array.ConvertAll(MemoryMarshal.Cast<byte, int>(bytes).ToArray(), value => (long)value),
            TensorType.U8 or TensorType.BOOL => Array.ConvertAll(bytes.ToArray(), value => (long)value),
            var type => throw new InvalidDataException($"{Path}: tensor '{name}' has dtype {type}; I64, I32, U8 and BOOL are read as integers."),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
