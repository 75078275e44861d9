using System.Text.Json;
using System.Text.Unicode;

namespace Deliberate.Inference.Weights;

/// <summary>One tensor of a file: what its header says.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How its values are stored.</param>
/// <param name="Shape">Its dimensions, none for a scalar.</param>
/// <param name="Start">Where it starts, in bytes from the start of the file.</param>
/// <param name="Length">Its size in bytes.</param>
public sealed record TensorInfo(string Name, TensorType Type, IReadOnlyList<long> Shape, long Start, long Length)
{
    /// <summary>Number of values.</summary>
    public long Count => Length / Type.Size();
}

/// <summary>
/// Checks a safetensors header: names are unique, shape, dtype and range agree, and the tensors cover the data without gap or overlap.
/// </summary>
internal static class SafeTensorsHeader
{
    /// <summary>The format's own bound on the header.</summary>
    public const long MaxLength = 100_000_000;

    private static readonly JsonDocumentOptions Shallow = new() { MaxDepth = 8 };

    public static (Dictionary<string, TensorInfo> Tensors, Dictionary<string, string> Metadata) Parse(ReadOnlySpan<byte> header, long dataLength)
    {
        // Parsing alone does not look into strings.
        if (!Utf8.IsValid(header)) throw new InvalidDataException("the header is not valid UTF-8.");
        using var document = JsonDocument.Parse(header.ToArray(), Shallow);
        if (document.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException("the header is not a JSON object.");
        var tensors = new Dictionary<string, TensorInfo>(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var hasMetadata = false;
        foreach (var entry in document.RootElement.EnumerateObject())
        {
            if (entry.NameEquals("__metadata__"))
            {
                if (hasMetadata) throw new InvalidDataException("'__metadata__' occurs twice.");
                hasMetadata = true;
                foreach (var item in Object(entry.Value, "__metadata__").EnumerateObject())
                {
                    if (item.Value.ValueKind != JsonValueKind.String) throw new InvalidDataException($"'{item.Name}' of '__metadata__' is no text.");
                    if (!metadata.TryAdd(item.Name, item.Value.GetString()!)) throw new InvalidDataException($"'{item.Name}' of '__metadata__' occurs twice.");
                }
            }
            else if (!tensors.TryAdd(entry.Name, Tensor(entry, dataLength, 8 + header.Length)))
            {
                throw new InvalidDataException($"tensor '{entry.Name}' occurs twice.");
            }
        }

        long next = 8 + header.Length;
        foreach (var tensor in tensors.Values.OrderBy(tensor => tensor.Start).ThenBy(tensor => tensor.Length))
        {
            if (tensor.Start != next) throw new InvalidDataException($"tensor '{tensor.Name}' starts at {tensor.Start - 8 - header.Length}, not where the one before it ends ({next - 8 - header.Length}).");
            next += tensor.Length;
        }

        if (next != 8 + header.Length + dataLength) throw new InvalidDataException($"{8 + header.Length + dataLength - next} bytes of data belong to no tensor.");
        return (tensors, metadata);
    }

    private static TensorInfo Tensor(JsonProperty entry, long dataLength, long dataStart)
    {
        var name = entry.Name;
        TensorType? type = null;
        long[]? shape = null, offsets = null;
        foreach (var field in Object(entry.Value, name).EnumerateObject())
        {
            var twice = false;
            switch (field.Name)
            {
                case "dtype":
                    twice = type is not null;
                    if (field.Value.ValueKind != JsonValueKind.String) throw new InvalidDataException($"tensor '{name}' has a dtype that is no text.");
                    try
                    {
                        type = TensorTypes.Parse(field.Value.GetString()!);
                    }
                    catch (InvalidDataException error)
                    {
                        throw new InvalidDataException($"tensor '{name}': {error.Message}.", error);
                    }

                    break;
                case "shape":
                    twice = shape is not null;
                    shape = Numbers(field.Value, name, "shape");
                    break;
                case "data_offsets":
                    twice = offsets is not null;
                    offsets = Numbers(field.Value, name, "data_offsets");
                    break;
                default:
                    throw new InvalidDataException($"tensor '{name}' has a field '{field.Name}' that the format does not have.");
            }

            if (twice) throw new InvalidDataException($"field '{field.Name}' of tensor '{name}' occurs twice.");
        }

        if (type is not { } known || shape is null || offsets is null)
            throw new InvalidDataException($"tensor '{name}' has no {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}.");
        if (offsets.Length != 2) throw new InvalidDataException($"tensor '{name}' has {offsets.Length} data_offsets, not a start and an end.");
        var (start, end) = (offsets[0], offsets[1]);
        if (start < 0 || end < start || end > dataLength) throw new InvalidDataException($"tensor '{name}' has data_offsets {start}..{end} outside the {dataLength} bytes of data.");
        long size = known.Size();
        foreach (var dimension in shape)
        {
            if (dimension < 0) throw new InvalidDataException($"tensor '{name}' has a negative dimension ({dimension}).");
            if (dimension != 0 && size > long.MaxValue / dimension) throw new InvalidDataException($"tensor '{name}' has a shape whose size overflows.");
            size *= dimension;
        }

        if (size != end - start) throw new InvalidDataException($"tensor '{name}' of shape [{string.Join(", ", shape)}] and dtype {known} needs {size} bytes, not {end - start}.");
        return new(name, known, shape, dataStart + start, size);
    }

    private static JsonElement Object(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object ? value : throw new InvalidDataException($"'{name}' is not a JSON object.");

    private static long[] Numbers(JsonElement value, string name, string field)
    {
        if (value.ValueKind != JsonValueKind.Array) throw new InvalidDataException($"tensor '{name}' has {field} that are no list.");
        var numbers = new long[value.GetArrayLength()];
        var at = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out numbers[at++]))
                throw new InvalidDataException($"tensor '{name}' has {field} that are no whole numbers within 64 bits.");
        }

        return numbers;
    }
}
