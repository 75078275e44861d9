using System.Text.Json;

namespace Deliberate.Inference.Tokenization;

/// <summary>A JSON object of a configuration file, read strictly: errors name the field, and a field nobody asks for is one.</summary>
/// <param name="Element">The object.</param>
/// <param name="Place">Where it stands, for messages; empty for the whole file.</param>
internal readonly record struct Section(JsonElement Element, string Place)
{
    /// <summary>The text of <c>type</c>.</summary>
    public string Type => Text("type");

    /// <exception cref="InvalidDataException">It is no object.</exception>
    public static Section Of(JsonElement element, string place) =>
        element.ValueKind == JsonValueKind.Object ? new(element, place) : throw new InvalidDataException($"{(place.Length == 0 ? "the file" : place)} is {Kind(element)}; an object is expected.");

    /// <exception cref="InvalidDataException">There are fields beside these.</exception>
    public void Only(params ReadOnlySpan<string> names)
    {
        foreach (var property in Element.EnumerateObject())
            if (!names.Contains(property.Name)) throw new InvalidDataException($"{Path(property.Name)} is not supported; {(Place.Length == 0 ? "the file" : Place)} may have {string.Join(", ", names!)}.");
    }

    /// <summary>The field's value, or null where it is absent or null.</summary>
    public JsonElement? Find(string name) => Element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public JsonElement Get(string name) => Find(name) ?? throw new InvalidDataException($"{Path(name)} is missing.");

    public string Text(string name) => AsText(Get(name), Path(name));

    public string? FindText(string name) => Find(name) is { } value ? AsText(value, Path(name)) : null;

    public bool Flag(string name) => AsFlag(Get(name), Path(name));

    public bool Flag(string name, bool absent) => Find(name) is { } value ? AsFlag(value, Path(name)) : absent;

    public int Number(string name) => AsNumber(Get(name), Path(name));

    public Section Object(string name) => Of(Get(name), Path(name));

    public Section? FindObject(string name) => Find(name) is { } value ? Of(value, Path(name)) : null;

    public IEnumerable<(JsonElement Element, string Place)> Array(string name)
    {
        var (value, path) = (Get(name), Path(name));
        return value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select((element, at) => (element, $"{path}[{at}]")) : throw Wrong(value, path, "an array");
    }

    public IEnumerable<Section> Objects(string name) => Array(name).Select(entry => Of(entry.Element, entry.Place));

    public string Path(string name) => Place.Length == 0 ? name : $"{Place}.{name}";

    public static string AsText(JsonElement value, string path) => value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(value, path, "a text");

    public static bool AsFlag(JsonElement value, string path) => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(value, path, "true or false");

    public static int AsNumber(JsonElement value, string path) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw Wrong(value, path, "a whole number");

    private static InvalidDataException Wrong(JsonElement value, string path, string expected) => new($"{path} is {Kind(value)}; {expected} is expected.");

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        _ => value.GetRawText() is { Length: <= 40 } raw ? raw : "a long number",
    };
}
