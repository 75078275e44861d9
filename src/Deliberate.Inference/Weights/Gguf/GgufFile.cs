using System.Numerics;
using Deliberate.Inference.Files;

namespace Deliberate.Inference.Weights.Gguf;

/// <summary>One tensor of a GGUF file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How its values are stored.</param>
/// <param name="Shape">Its dimensions, slowest first: the reverse of the order in the file.</param>
/// <param name="Start">Where it starts, in bytes from the start of the file.</param>
/// <param name="Length">Its size in bytes.</param>
public sealed record GgufTensor(string Name, GgufType Type, IReadOnlyList<long> Shape, long Start, long Length)
{
    /// <summary>Number of values.</summary>
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>
/// A GGUF file, memory-mapped: metadata and tensors of llama.cpp (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md),
/// versions 2 and 3, little-endian.
/// </summary>
/// <remarks>Thread-safe until it is disposed.</remarks>
public sealed class GgufFile : IDisposable
{
    private const uint Magic = 0x46554747; // "GGUF"
    private const int MaxAlignment = 1 << 20;

    private readonly MappedFile _file;
    private readonly Dictionary<string, GgufTensor> _tensors;

    private GgufFile(MappedFile file, int version, Dictionary<string, object> metadata, Dictionary<string, GgufTensor> tensors) =>
        (_file, Version, Metadata, _tensors) = (file, version, metadata, tensors);

    /// <summary>Where it was opened.</summary>
    public string Path => _file.Path;

    /// <summary>Version of the format, 2 or 3.</summary>
    public int Version { get; }

    /// <summary>
    /// Metadata by key: numbers as their .NET types, <see cref="bool"/>, <see cref="string"/>, and lists as arrays of these; a list of lists is an array of <see cref="Array"/>.
    /// </summary>
    public IReadOnlyDictionary<string, object> Metadata { get; }

    /// <summary>Its tensors by name.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors => _tensors;

    /// <summary>Opens a file and checks its header against the file's size.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidDataException">The file breaks the format or holds a type that is not read; the message names file, key or tensor.</exception>
    public static GgufFile Open(string path)
    {
        var file = new MappedFile(path);
        try
        {
            return Parse(file);
        }
        catch (Exception error)
        {
            file.Dispose();
            if (error is InvalidDataException) throw new InvalidDataException($"{path}: not a readable GGUF file: {OneLine.Of(error.Message)}", error);
            throw;
        }
    }

    /// <summary>A tensor's blocks as stored.</summary>
    /// <exception cref="InvalidDataException">There is none of this name, or it passes 2 GiB.</exception>
    public ReadOnlySpan<byte> Bytes(string name) => Tensor(name) is var tensor && tensor.Length <= int.MaxValue ? _file.Bytes(tensor.Start, (int)tensor.Length)
        : throw new InvalidDataException($"{Path}: tensor '{name}' has {tensor.Length} bytes; at most 2 GiB are read.");

    /// <summary>A tensor's values in fp32, row-major, as llama.cpp's own arithmetic gives them.</summary>
    /// <exception cref="InvalidDataException">There is none of this name, or it passes 2 GiB.</exception>
    public float[] Values(string name)
    {
        var tensor = Tensor(name);
        if (tensor.Count > Array.MaxLength) throw new InvalidDataException($"{Path}: tensor '{name}' has {tensor.Count} values; at most {Array.MaxLength} are read.");
        var values = new float[tensor.Count];
        Dequantization.ToSingle(tensor.Type, Bytes(name), values);
        return values;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>What is wrong with this file, in one line.</summary>
    internal InvalidDataException Error(string problem) => new(OneLine.Of($"{Path}: {problem}"));

    private GgufTensor Tensor(string name) => _tensors.TryGetValue(name, out var tensor) ? tensor : throw new InvalidDataException($"{Path}: tensor '{name}' is missing.");

    private static GgufFile Parse(MappedFile file)
    {
        var cursor = new GgufCursor(file, 0);
        if (cursor.U32("its first four bytes") != Magic) throw new InvalidDataException("it does not start with 'GGUF'.");
        var version = cursor.U32("the version");
        if (version is > 0 and <= 0xFF00_0000 && (version & 0xFFFF) == 0) throw new InvalidDataException("it is big-endian; only little-endian files are read.");
        if (version is not (2 or 3)) throw new InvalidDataException($"it has version {version}; 2 and 3 are read.");
        // A tensor takes at least 8 + 4 + 4 + 8 bytes, an entry at least 8 + 4 + 1.
        var tensorCount = cursor.Count("the number of tensors", 24);
        var entryCount = cursor.Count("the number of metadata entries", 13);
        var metadata = new Dictionary<string, object>(StringComparer.Ordinal);
        for (var i = 0; i < entryCount; i++)
        {
            var key = cursor.Text($"the key of metadata entry {i}");
            if (!metadata.TryAdd(key, cursor.Value(cursor.U32($"the type of '{key}'"), $"'{key}'"))) throw new InvalidDataException($"metadata '{key}' occurs twice.");
        }

        long alignment = 32;
        if (metadata.TryGetValue("general.alignment", out var value))
            alignment = value is uint asked and > 0 and <= MaxAlignment && BitOperations.IsPow2(asked) ? asked : throw new InvalidDataException($"'general.alignment' is {value}, not a power of two up to {MaxAlignment}.");
        var infos = Enumerable.Range(0, tensorCount).Select(_ => Info(cursor)).ToArray();
        var start = (cursor.Position + alignment - 1) / alignment * alignment;
        var tensors = new Dictionary<string, GgufTensor>(StringComparer.Ordinal);
        long end = 0;
        foreach (var info in infos.OrderBy(info => info.Start))
        {
            if (info.Start % alignment != 0) throw new InvalidDataException($"tensor '{info.Name}' starts at {info.Start}, not at a multiple of {alignment}.");
            if (info.Start < end) throw new InvalidDataException($"tensor '{info.Name}' starts at {info.Start}, within the one before it.");
            if (info.Start > file.Length - start || info.Length > file.Length - start - info.Start) throw new InvalidDataException($"tensor '{info.Name}' ({info.Length} bytes) reaches beyond the end of the file.");
            end = info.Start + info.Length;
            if (!tensors.TryAdd(info.Name, info with { Start = start + info.Start })) throw new InvalidDataException($"tensor '{info.Name}' occurs twice.");
        }

        // Writers pad the last tensor too; a file without its padding was cut.
        end = (end + alignment - 1) / alignment * alignment;
        if (end > file.Length - start) throw new InvalidDataException($"its data should have {end} bytes; {Math.Max(0, file.Length - start)} are there.");
        return new(file, (int)version, metadata, tensors);
    }

    private static GgufTensor Info(GgufCursor cursor)
    {
        var name = cursor.Text("the name of a tensor");
        var rank = cursor.U32($"the rank of '{name}'");
        if (rank is 0 or > 4) throw new InvalidDataException($"tensor '{name}' has {rank} dimensions; 1 to 4 are read.");
        var shape = new long[rank];
        long count = 1;
        for (var i = 1; i <= rank; i++)
        {
            var size = cursor.U64($"the shape of '{name}'");
            if (size is 0 or > int.MaxValue || count > (1L << 50) / (long)size) throw new InvalidDataException($"tensor '{name}' has a dimension of {size}.");
            count *= shape[^i] = (long)size;
        }

        var number = cursor.U32($"the type of '{name}'");
        var type = (GgufType)number;
        if (number > 1000 || !Enum.IsDefined(type)) throw new InvalidDataException($"tensor '{name}' has type {number}{Other(number)}; read are {string.Join(", ", Enum.GetValues<GgufType>().Select(known => known.DisplayName()))}.");
        var (values, bytes) = type.Block();
        if (shape[^1] % values != 0) throw new InvalidDataException($"tensor '{name}' has rows of {shape[^1]} values, which {type.DisplayName()} cannot pack in blocks of {values}.");
        var offset = cursor.U64($"the offset of '{name}'");
        if (offset > long.MaxValue / 2) throw new InvalidDataException($"tensor '{name}' has an offset of {offset}.");
        return new(name, type, shape, (long)offset, count / values * bytes);
    }

    private static string Other(uint number) => number switch
    {
        4 or 5 => " (an old 4-bit form)",
        9 => " (Q8_1)",
        15 => " (Q8_K)",
        >= 16 and <= 23 or 29 => " (an IQ form)",
        >= 24 and <= 28 => " (an integer or double)",
        34 or 35 => " (a ternary form)",
        39 => " (MXFP4)",
        _ => "",
    };
}
