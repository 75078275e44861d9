using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Deliberate.Inference.Templates;

/// <summary>
/// A value that a template works on, with Python's meaning: None, a bool, an integer of any size, a float, a string, a list or a dict with its
/// order. <see cref="object.ToString"/> gives what <c>{{ value }}</c> prints.
/// </summary>
/// <remarks>Immutable and thread-safe.</remarks>
public abstract class TemplateValue
{
    private protected TemplateValue()
    {
    }

    /// <summary>Python's None, JSON's null.</summary>
    public static TemplateValue None => NoneValue.Instance;

    /// <summary>A string.</summary>
    public static TemplateValue Of(string text) => new TextValue(text ?? throw new ArgumentNullException(nameof(text)));

    /// <summary>A bool.</summary>
    public static TemplateValue Of(bool value) => BoolValue.Of(value);

    /// <summary>An integer.</summary>
    public static TemplateValue Of(long value) => new IntValue(value);

    /// <summary>A float.</summary>
    public static TemplateValue Of(double value) => new FloatValue(value);

    /// <summary>A list.</summary>
    public static TemplateValue List(IEnumerable<TemplateValue> items) => new ListValue([.. items]);

    /// <summary>A dict in this order; a name given twice keeps its first place and its last value.</summary>
    public static TemplateValue Map(IEnumerable<KeyValuePair<string, TemplateValue>> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return new MapValue(entries.Select(entry => new KeyValuePair<TemplateValue, TemplateValue>(Of(entry.Key), entry.Value)));
    }

    /// <summary>The value that this JSON stands for: a number without fraction and exponent is an integer, the others are floats.</summary>
    /// <exception cref="InvalidDataException">A number has more than 4300 digits.</exception>
    public static TemplateValue From(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => new TextValue(json.GetString()!),
        JsonValueKind.Number => Number(json.GetRawText()),
        JsonValueKind.True => BoolValue.True,
        JsonValueKind.False => BoolValue.False,
        JsonValueKind.Array => new ListValue([.. json.EnumerateArray().Select(From)]),
        JsonValueKind.Object => new MapValue(json.EnumerateObject().Select(entry => new KeyValuePair<TemplateValue, TemplateValue>(new TextValue(entry.Name), From(entry.Value)))),
        _ => None,
    };

    /// <summary>The value that this JSON stands for, as of <see cref="From(JsonElement)"/>.</summary>
    public static TemplateValue From(JsonNode? json)
    {
        using var document = JsonDocument.Parse(json?.ToJsonString() ?? "null");
        return From(document.RootElement);
    }

    /// <inheritdoc/>
    public override string ToString() => PythonText.Str(this);

    /// <summary>Python's name of the type.</summary>
    internal abstract string TypeName { get; }

    /// <summary>Python's truth of the value.</summary>
    internal virtual bool Truth => true;

    /// <summary>How deep lists and dicts lie in it.</summary>
    internal virtual int Depth => 0;

    /// <summary>The elements in it, nested ones and every 16 characters included: what going through it costs; saturates.</summary>
    internal virtual int Size => 1;

    /// <summary>The number of elements that <c>len</c> gives, or null where the value has none.</summary>
    internal virtual int? Length => null;

    /// <summary>What iterating gives, or null for what cannot be iterated.</summary>
    internal virtual IEnumerable<TemplateValue>? Items => null;

    private static TemplateValue Number(string text)
    {
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0) return new FloatValue(double.Parse(text, CultureInfo.InvariantCulture));
        return text.Length <= IntValue.MaxDigits ? new IntValue(BigInteger.Parse(text, CultureInfo.InvariantCulture))
            : throw new InvalidDataException($"A number has {text.Length} digits; at most {IntValue.MaxDigits} are supported.");
    }
}
