using System.Text.Json;

namespace Deliberate.Training.Lora;

/// <summary>The fields of an <c>adapter_config.json</c>, taken one by one so that those nobody asked for can be named.</summary>
internal sealed class AdapterFields
{
    private const long Largest = 10_000_000;
    private const int MostEntries = 100_000;

    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly string _file;

    private AdapterFields(string file) => _file = file;

    /// <exception cref="InvalidDataException">The file is no JSON object, too large, or has a field twice.</exception>
    public static AdapterFields Read(string file)
    {
        var fields = new AdapterFields(file);
        try
        {
            if (new FileInfo(file).Length > Largest) throw new InvalidDataException($"{file}: larger than 10 MB.");
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), new() { MaxDepth = 32 });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{file}: not a JSON object.");
            foreach (var field in document.RootElement.Clone().EnumerateObject())
                if (!fields._fields.TryAdd(field.Name, field.Value)) throw fields.Error(field.Name, "occurs twice");
            return fields;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{file}: not valid JSON: {error.Message.ReplaceLineEndings(" ")}", error);
        }
    }

    public InvalidDataException Error(string field, string problem) => new($"{_file}: field '{(field.Length > 100 ? field[..100] : field)}' {problem}.");

    public bool IsSet(string name) => Get(name) is { } value && IsOn(value);

    public bool Flag(string name) => Get(name) switch
    {
        null or { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.True } => true,
        _ => throw Error(name, "is neither true nor false"),
    };

    public string? Text(string name) => Get(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => Text(name, value),
        _ => throw Error(name, "is no text"),
    };

    public int Number(string name, int most) => Get(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) && number >= 1 && number <= most ? number
        : throw Error(name, "is missing or no positive number");

    public double Real(string name) => Get(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) && double.IsFinite(number) ? number
        : throw Error(name, "is missing or no number");

    /// <summary>A list of names; null where it is one pattern, which the tensors themselves stand in for.</summary>
    public IReadOnlyList<string>? Texts(string name) => Get(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } => null,
        { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() <= MostEntries =>
            [.. list.EnumerateArray().Select(entry => entry.ValueKind == JsonValueKind.String ? Text(name, entry) : throw Error(name, "has an entry that is no text")).Order(StringComparer.Ordinal)],
        _ => throw Error(name, "is neither a text nor a list of texts"),
    };

    /// <summary>A number or a list of them; null where there is none.</summary>
    public IReadOnlyList<int>? Numbers(string name)
    {
        int One(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0 ? number : throw Error(name, "has an entry that is no layer");
        return Get(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() <= MostEntries => [.. list.EnumerateArray().Select(One)],
            { } value => [One(value)],
        };
    }

    /// <summary>An object whose values are numbers, in its order.</summary>
    public IReadOnlyDictionary<string, T> Table<T>(string name, Func<double, T> convert)
    {
        var table = new OrderedDictionary<string, T>(StringComparer.Ordinal);
        if (Get(name) is not { } value) return table;
        if (value.ValueKind != JsonValueKind.Object) throw Error(name, "is no object");
        foreach (var entry in value.EnumerateObject())
        {
            if (table.Count >= 1_000) throw Error(name, "has more than 1000 entries");
            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetDouble(out var number) || !double.IsFinite(number)) throw Error(name, "has an entry that is no number");
            if (!table.TryAdd(entry.Name, convert(number))) throw Error(name, "has an entry twice");
        }

        return table;
    }

    /// <summary>Refuses what was not taken and is switched on.</summary>
    public void RefuseOthers(IReadOnlySet<string> harmless)
    {
        foreach (var (name, value) in _fields)
            if (!_taken.Contains(name) && !harmless.Contains(name) && IsOn(value)) throw Error(name, "is set, which is not computed here");
    }

    private static bool IsOn(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        _ => true,
    };

    private string Text(string name, JsonElement value)
    {
        try
        {
            return value.GetString() is { Length: < 1_000 } text ? text : throw Error(name, "is too long");
        }
        catch (InvalidOperationException)
        {
            throw Error(name, "is no valid text"); // half of a surrogate pair
        }
    }

    private JsonElement? Get(string name)
    {
        _taken.Add(name);
        return _fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
