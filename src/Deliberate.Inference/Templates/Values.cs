using System.Numerics;

namespace Deliberate.Inference.Templates;

/// <summary>None.</summary>
internal sealed class NoneValue : TemplateValue
{
    public static readonly NoneValue Instance = new();

    internal override string TypeName => "NoneType";

    internal override bool Truth => false;
}

/// <summary>True or False; an integer too, as in Python.</summary>
internal sealed class BoolValue : TemplateValue
{
    public static readonly BoolValue True = new(true), False = new(false);

    private BoolValue(bool value) => Value = value;

    public bool Value { get; }

    internal override string TypeName => "bool";

    internal override bool Truth => Value;

    public static new BoolValue Of(bool value) => value ? True : False;
}

/// <summary>An integer of any size up to the digits that Python prints.</summary>
internal sealed class IntValue(BigInteger value) : TemplateValue
{
    /// <summary>Python refuses to print longer ones.</summary>
    public const int MaxDigits = 4300;

    private const int MaxBits = 14285;

    public BigInteger Value { get; } = value.GetBitLength() <= MaxBits ? value : throw new TemplateFault($"an integer has more than {MaxDigits} digits");

    internal override string TypeName => "int";

    internal override bool Truth => !Value.IsZero;

    internal override int Size => 1 + (int)(Value.GetBitLength() / 64);
}

/// <summary>A float.</summary>
internal sealed class FloatValue(double value) : TemplateValue
{
    public double Value { get; } = value;

    internal override string TypeName => "float";

    internal override bool Truth => Value != 0;
}

/// <summary>
/// A string. Python counts code points where .NET counts UTF-16 units: positions that templates see are code points. <see cref="Markup"/> marks the
/// result of <c>safe</c> and <c>escape</c>: text joined to it with <c>+</c> is escaped for HTML.
/// </summary>
internal sealed class TextValue(string text, bool markup = false) : TemplateValue
{
    public static readonly TextValue Empty = new("");

    private int _length = -1;

    public string Text { get; } = text;

    public bool Markup { get; } = markup;

    /// <summary>Whether every code point is one UTF-16 unit, so that positions are the same in both.</summary>
    public bool Plain => Length == Text.Length;

    internal override string TypeName => Markup ? "Markup" : "str";

    internal override bool Truth => Text.Length > 0;

    internal override int Size => 1 + Text.Length / 16;

    internal override int? Length => _length >= 0 ? _length : _length = Count(Text);

    internal override IEnumerable<TemplateValue> Items
    {
        get
        {
            for (var i = 0; i < Text.Length;)
            {
                var units = char.IsSurrogatePair(Text, i) ? 2 : 1;
                yield return new TextValue(Text.Substring(i, units), Markup);
                i += units;
            }
        }
    }

    /// <summary>Another string of the same kind.</summary>
    public TextValue With(string text) => new(text, Markup);

    /// <summary>The UTF-16 place of this code point, which lies in 0 … length.</summary>
    public int Place(int point)
    {
        if (Plain) return point;
        var at = 0;
        for (; point > 0; point--) at += char.IsSurrogatePair(Text, at) ? 2 : 1;
        return at;
    }

    /// <summary>The number of code points before this UTF-16 place.</summary>
    public int Point(int place) => Plain ? place : Count(Text.AsSpan(0, place));

    private static int Count(ReadOnlySpan<char> text)
    {
        var pairs = 0;
        for (var i = text.IndexOfAnyInRange('\ud800', '\udbff'); i >= 0 && i + 1 < text.Length; i++)
            if (char.IsSurrogatePair(text[i], text[i + 1])) (pairs, i) = (pairs + 1, i + 1);
        return text.Length - pairs;
    }
}

/// <summary>A list or a tuple.</summary>
internal sealed class ListValue : TemplateValue
{
    public ListValue(TemplateValue[] values, bool tuple = false)
    {
        (Values, Tuple) = (values, tuple);
        foreach (var value in values) (Depth, Size) = (Math.Max(Depth, value.Depth + 1), Weight.Add(Size, value.Size));
    }

    public TemplateValue[] Values { get; }

    public bool Tuple { get; }

    /// <summary>Whether it is a tuple of <c>groupby</c>, whose elements have the names <c>grouper</c> and <c>list</c>.</summary>
    public bool IsGroup { get; init; }

    internal override string TypeName => Tuple ? "tuple" : "list";

    internal override bool Truth => Values.Length > 0;

    internal override int Depth { get; } = 1;

    internal override int Size { get; } = 1;

    internal override int? Length => Values.Length;

    internal override IEnumerable<TemplateValue> Items => Values;
}

/// <summary>A dict in insertion order.</summary>
internal sealed class MapValue : TemplateValue
{
    private readonly Dictionary<TemplateValue, int> _places = new(KeyComparer.Instance);

    public MapValue(IEnumerable<KeyValuePair<TemplateValue, TemplateValue>> entries)
    {
        foreach (var (key, value) in entries)
        {
            if (_places.TryAdd(key, Entries.Count)) Entries.Add(new(key, value));
            else Entries[_places[key]] = new(Entries[_places[key]].Key, value);
            (Depth, Size) = (Math.Max(Depth, 1 + Math.Max(key.Depth, value.Depth)), Weight.Add(Size, Weight.Add(key.Size, value.Size)));
        }
    }

    public List<KeyValuePair<TemplateValue, TemplateValue>> Entries { get; } = [];

    internal override string TypeName => "dict";

    internal override bool Truth => Entries.Count > 0;

    internal override int Depth { get; } = 1;

    internal override int Size { get; } = 1;

    internal override int? Length => Entries.Count;

    internal override IEnumerable<TemplateValue> Items => Entries.Select(entry => entry.Key);

    public TemplateValue? Find(TemplateValue key) => _places.TryGetValue(key, out var place) ? Entries[place].Value : null;

    public TemplateValue? Find(string key) => Find(new TextValue(key));
}

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> of a dict give.</summary>
internal sealed class ViewValue(MapValue map, string kind) : TemplateValue
{
    public MapValue Source => map;

    public string Kind => kind;

    internal override string TypeName => "dict_" + kind;

    internal override bool Truth => map.Truth;

    internal override int Depth => map.Depth + 1;

    internal override int Size => map.Size;

    internal override int? Length => map.Length;

    internal override IEnumerable<TemplateValue> Items => map.Entries.Select(entry => kind switch
    {
        "keys" => entry.Key,
        "values" => entry.Value,
        _ => new ListValue([entry.Key, entry.Value], tuple: true),
    });
}

/// <summary>A <c>range</c>.</summary>
internal sealed class RangeValue(BigInteger start, BigInteger stop, BigInteger step, int count) : TemplateValue
{
    public int Count => count;

    public BigInteger Start => start;

    public BigInteger Stop => stop;

    public BigInteger Step => step;

    internal override string TypeName => "range";

    internal override bool Truth => count > 0;

    internal override int Size => count;

    internal override int? Length => count;

    internal override IEnumerable<TemplateValue> Items => Enumerable.Range(0, count).Select(At);

    public TemplateValue At(int place) => new IntValue(start + step * place);
}

/// <summary>What <c>map</c>, <c>select</c>, <c>batch</c> and others give: it can be gone through once.</summary>
internal sealed class IteratorValue(string type, int depth, IEnumerable<TemplateValue> source) : TemplateValue
{
    private readonly IEnumerator<TemplateValue> _source = source.GetEnumerator();

    internal override string TypeName => type;

    internal override int Depth => depth;

    internal override IEnumerable<TemplateValue> Items
    {
        get
        {
            while (_source.MoveNext()) yield return _source.Current;
        }
    }
}

/// <summary>What a missing name, key or element gives: empty when printed, an error in most other uses.</summary>
internal sealed class UndefinedValue(string reason, bool unsafeAccess = false) : TemplateValue
{
    internal override string TypeName => "Undefined";

    internal override bool Truth => false;

    internal override int? Length => 0;

    internal override IEnumerable<TemplateValue> Items => [];

    /// <summary>The failure of a use that an undefined value does not allow.</summary>
    public TemplateFault Fault => new(reason);

    /// <summary>Whether the sandbox hides it.</summary>
    public bool Unsafe => unsafeAccess;
}

/// <summary>What <c>namespace()</c> gives: the one thing whose members a template can set.</summary>
internal sealed class NamespaceValue(Dictionary<string, TemplateValue> members) : TemplateValue
{
    public Dictionary<string, TemplateValue> Members => members;

    internal override string TypeName => "Namespace";
}

/// <summary>Something with members or a call that templates cannot look into otherwise: functions, methods, macros, <c>cycler</c>, <c>joiner</c>.</summary>
internal sealed class ObjectValue(string type, Func<Run, Arguments, TemplateValue>? call = null, Func<string, TemplateValue?>? member = null) : TemplateValue
{
    internal override string TypeName => type;

    public Func<Run, Arguments, TemplateValue>? Call => call;

    /// <summary>What Python prints for it, where that says nothing of its address.</summary>
    public string? Printed { get; init; }

    public TemplateValue? Member(string name) => member?.Invoke(name);
}

/// <summary>Arithmetic of sizes that stops at the largest.</summary>
internal static class Weight
{
    public static int Add(int a, int b) => (int)Math.Min((long)a + b, int.MaxValue);
}
