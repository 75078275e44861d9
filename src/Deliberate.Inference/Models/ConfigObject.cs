using System.Text.Json;
using Deliberate.Inference.Files;

namespace Deliberate.Inference.Models;

/// <summary>A JSON object whose fields are taken one by one, so that those nobody asked for can be named.</summary>
internal sealed class ConfigObject
{
    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly string _file;
    private readonly string _place;

    private ConfigObject(string file, string place, JsonElement root)
    {
        (_file, _place) = (file, place);
        foreach (var field in root.EnumerateObject())
            if (!_fields.TryAdd(field.Name, field.Value)) throw Error(field.Name, "occurs twice");
    }

    public static ConfigObject Read(string file)
    {
        const long Largest = 10_000_000;
        try
        {
            if (new FileInfo(file).Length > Largest) throw new InvalidDataException($"{file}: larger than 10 MB.");
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), new() { MaxDepth = 32 });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{file}: not a JSON object.");
            return new(file, "", document.RootElement.Clone());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{file}: not valid JSON: {OneLine.Of(e.Message)}", e);
        }
    }

    public InvalidDataException Error(string field, string problem) => new(OneLine.Of($"{_file}: field '{_place}{field}' {problem}."));

    public bool Has(string name) => Get(name) is not null;

    public bool IsNull(string name) => _fields.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Null;

    public int Number(string name, int? otherwise = null) => Get(name) is not { } value ? otherwise ?? throw Error(name, "is missing or no positive number")
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number > 0 ? number
        : throw Error(name, "is missing or no positive number");

    public int? NumberOrNone(string name) => Has(name) ? Number(name) : null;

    public double Real(string name, double? otherwise = null) => Get(name) is not { } value ? otherwise ?? throw Error(name, "is missing")
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number is > 0 and < 1e30 ? number
        : throw Error(name, "is no positive number");

    public double? RealOrNone(string name) => Has(name) ? Real(name) : null;

    public bool Flag(string name, bool otherwise) => Get(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Error(name, "is neither true nor false"),
    };

    public string? Text(string name) => Get(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString() is { Length: < 100 } text ? text : throw Error(name, "is too long"),
        _ => throw Error(name, "is no text"),
    };

    /// <summary>A list with one entry a layer.</summary>
    public JsonElement[]? List(string name, int length)
    {
        if (Get(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Error(name, "is no list");
        return value.GetArrayLength() == length ? [.. value.EnumerateArray()] : throw Error(name, $"has {value.GetArrayLength()} entries, not one for each of the {length} layers");
    }

    public ConfigObject? Object(string name) => Get(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => new(_file, $"{_place}{name}.", value),
        _ => throw Error(name, "is no object"),
    };

    /// <summary>Refuses what was not taken and is switched on.</summary>
    public void RefuseOthers(IReadOnlySet<string> harmless)
    {
        foreach (var (name, value) in _fields)
        {
            if (_taken.Contains(name) || harmless.Contains(name) || name.StartsWith('_')) continue;
            var off = value.ValueKind is JsonValueKind.Null or JsonValueKind.False;
            if (!off) throw Error(name, "is not known for this family and may change what the model computes; remove it if it does not");
        }
    }

    // A null is as good as nothing; it counts as taken.
    private JsonElement? Get(string name)
    {
        _taken.Add(name);
        return _fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
