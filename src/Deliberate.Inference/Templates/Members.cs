using System.Numerics;

namespace Deliberate.Inference.Templates;

/// <summary>What <c>value.name</c>, <c>value[key]</c> and <c>value[a:b:c]</c> mean, with the sandbox's refusals.</summary>
internal static class Members
{
    /// <summary>Methods that would change a list or dict; the immutable sandbox hides them.</summary>
    private static readonly HashSet<string> ListChanging = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"],
        MapChanging = ["clear", "pop", "popitem", "setdefault", "update"];

    /// <summary>Members that Python has and this does not: named in an error, since an undefined value would be a wrong text.</summary>
    private static readonly HashSet<string> NumberOnly = ["as_integer_ratio", "conjugate", "from_bytes", "to_bytes", "bit_count", "fromhex", "hex"],
        TextOnly = ["encode", "maketrans", "translate", "format_map", "isidentifier", "istitle", "isdecimal"];

    /// <summary><c>value.name</c>: a member, else the element of that key.</summary>
    public static TemplateValue Get(Run run, TemplateValue value, string name) =>
        Member(run, value, name) ?? (value as MapValue)?.Find(name) ?? Missing(value, name);

    /// <summary><c>value[key]</c>: an element, else the member of that name.</summary>
    public static TemplateValue Element(Run run, TemplateValue value, TemplateValue key)
    {
        if (value is UndefinedValue undefined) throw undefined.Fault;
        run.Charge(key.Size);
        switch (value)
        {
            case MapValue map:
                if (key is not (MapValue or ListValue { Tuple: false }) && map.Find(key) is { } found) return found;
                break;
            case ListValue or TextValue or RangeValue when Operators.TryInteger(key, out var index):
                if (index.Sign < 0) index += value.Length!.Value;
                if (index < 0 || index >= value.Length!.Value) return new UndefinedValue($"{value.TypeName} object has no element {PythonText.Str(key)}");
                run.Charge(value is TextValue { Plain: false } wide ? wide.Text.Length / 16 : 0);
                return At(value, (int)index);
        }

        if (key is TextValue { Text: var name }) return Member(run, value, name) ?? Missing(value, name);
        return new UndefinedValue(key.Size > 100 ? $"{value.TypeName} object has no such element" : $"{value.TypeName} object has no element {key.TypeName switch { "Namespace" or "generator" => key.TypeName, _ => Short(key) }}");
    }

    private static string Short(TemplateValue key) => key is ObjectValue or LoopValue or IteratorValue ? key.TypeName : PythonText.Repr(key);

    public static TemplateValue Slice(Run run, TemplateValue value, TemplateValue? from, TemplateValue? to, TemplateValue? by)
    {
        if (value is UndefinedValue undefined) throw undefined.Fault;
        if (value is not (ListValue or TextValue or RangeValue)) throw new TemplateFault($"'{value.TypeName}' object has no slices");
        var (length, step) = (value.Length!.Value, Bound(by) ?? 1);
        if (step == 0) throw new TemplateFault("the step of a slice is zero");
        var start = Clip(Bound(from), length, step, step > 0 ? 0 : length - 1);
        var end = Clip(Bound(to), length, step, step > 0 ? length : -1);
        var count = step > 0 ? Math.Max(0, (end - start + (long)step - 1) / step) : Math.Max(0, (start - end - (long)step - 1) / -(long)step);
        run.Charge(count / (value is TextValue ? 16 : 1));
        var places = Enumerable.Range(0, (int)count).Select(i => start + i * step);
        switch (value)
        {
            case RangeValue range: return new RangeValue(range.Start + range.Step * start, range.Start + range.Step * end, range.Step * step, (int)count);
            case ListValue list: return new ListValue([.. places.Select(place => list.Values[place])], list.Tuple);
        }

        var text = (TextValue)value;
        if (!text.Plain) run.Charge(text.Text.Length / 16);
        if (step == 1) return text.With(count == 0 ? "" : text.Text[text.Place(start)..text.Place(start + (int)count)]);
        run.Charge(text.Text.Length / 16);
        if (text.Plain) return text.With(string.Concat(places.Select(place => text.Text[place])));
        var runes = text.Items.ToArray();
        return text.With(string.Concat(places.Select(place => ((TextValue)runes[place]).Text)));
    }

    private static int? Bound(TemplateValue? value) => value is null or NoneValue ? null : Operators.Index(value);

    private static int Clip(int? bound, int length, int step, int otherwise)
    {
        if (bound is not { } place) return otherwise;
        if (place < 0) place += length;
        return step > 0 ? Math.Clamp(place, 0, length) : Math.Clamp(place, -1, length - 1);
    }

    private static TemplateValue At(TemplateValue value, int index)
    {
        switch (value)
        {
            case ListValue list: return list.Values[index];
            case RangeValue range: return range.At(index);
            default:
                var text = (TextValue)value;
                var place = text.Place(index);
                return text.With(text.Text.Substring(place, char.IsSurrogatePair(text.Text, place) ? 2 : 1));
        }
    }

    private static UndefinedValue Missing(TemplateValue value, string name) =>
        new($"'{(value is MapValue ? "dict" : value.TypeName)} object' has no attribute '{name}'");

    /// <summary>A member that Python's object has, or null.</summary>
    private static TemplateValue? Member(Run run, TemplateValue value, string name)
    {
        if (value is UndefinedValue undefined)
            throw undefined.Fault;
        if (name.StartsWith("__", StringComparison.Ordinal) && (value as MapValue)?.Find(name) is null) return Hidden(value, name);
        switch (value)
        {
            case NamespaceValue space: return space.Members.GetValueOrDefault(name);
            case LoopValue loop: return loop.Member(name);
            case ObjectValue other: return other.Member(name);
            case TextValue text:
                return TextOnly.Contains(name) ? throw new TemplateFault($"the str method '{name}' is not supported") : TextMethods.Find(text, name);
            case MapValue map:
                if (MapChanging.Contains(name)) return Hidden(value, name);
                return name switch
                {
                    "keys" or "values" or "items" => Method(name, arguments =>
                    {
                        arguments.Bind(name);
                        return new ViewValue(map, name);
                    }),
                    "get" => Method(name, arguments =>
                    {
                        var bound = arguments.Bind(name, "key", "default?");
                        run.Charge(bound[0]!.Size);
                        return map.Find(KeyComparer.Key(bound[0]!)) ?? bound[1] ?? TemplateValue.None;
                    }),
                    "copy" => Method(name, arguments =>
                    {
                        arguments.Bind(name);
                        run.Charge(map.Size);
                        return new MapValue(map.Entries);
                    }),
                    "fromkeys" => throw new TemplateFault("the dict method 'fromkeys' is not supported"),
                    _ => null,
                };
            case ListValue list:
                if (!list.Tuple && ListChanging.Contains(name)) return Hidden(value, name);
                if (list.IsGroup && name is "grouper" or "list") return list.Values[name == "list" ? 1 : 0];

                return name switch
                {
                    "index" => Method(name, arguments =>
                    {
                        var bound = arguments.Bind(name, "value", "start?", "stop?");
                        var (first, last) = (Clip(bound[1].Int(0), list.Values.Length, 1, 0), Clip(bound[2].Int(int.MaxValue), list.Values.Length, 1, 0));
                        for (var i = first; i < last; i++)
                        {
                            run.Charge(1 + Math.Min(bound[0]!.Size, list.Values[i].Size));
                            if (Operators.Equal(list.Values[i], bound[0]!)) return new IntValue(i);
                        }

                        throw new TemplateFault("the value is not in the list");
                    }),
                    "count" => Method(name, arguments =>
                    {
                        var item = arguments.Bind(name, "value")[0]!;
                        run.Charge(list.Values.Length + Math.Min((long)list.Size, (long)item.Size * list.Values.Length));
                        return new IntValue(list.Values.Count(element => Operators.Equal(element, item)));
                    }),
                    "copy" when !list.Tuple => Method(name, _ => list),
                    _ => null,
                };
            case IntValue or BoolValue or FloatValue:
                if (NumberOnly.Contains(name)) throw new TemplateFault($"'{name}' of numbers is not supported");
                return (name, value) switch
                {
                    ("real", _) => Operators.Plus(value),
                    ("imag", FloatValue) => new FloatValue(0),
                    ("imag", _) => new IntValue(0),
                    ("numerator", not FloatValue) => Operators.Plus(value),
                    ("denominator", not FloatValue) => new IntValue(1),
                    ("is_integer", FloatValue number) => Method(name, _ => BoolValue.Of(double.IsFinite(number.Value) && number.Value == Math.Floor(number.Value))),
                    ("bit_length", not FloatValue) => Method(name, _ => Operators.TryInteger(value, out var integer) ? new IntValue(BigInteger.Abs(integer).GetBitLength()) : value),
                    _ => null,
                };
            case RangeValue range:
                return name switch
                {
                    "start" => new IntValue(range.Start),
                    "step" => new IntValue(range.Step),
                    "stop" or "index" or "count" => throw new TemplateFault($"'{name}' of a range is not supported"),
                    _ => null,
                };
            default: return null;
        }
    }

    private static UndefinedValue Hidden(TemplateValue value, string name) =>
        new($"access to attribute '{name}' of '{value.TypeName}' object is unsafe", unsafeAccess: true);

    private static ObjectValue Method(string name, Func<Arguments, TemplateValue> body) => new("builtin_function_or_method", (_, arguments) => body(arguments));
}
