using System.Numerics;

namespace Deliberate.Inference.Templates;

/// <summary>Python's operators on values. A failure is a <see cref="TemplateFault"/>.</summary>
internal static class Operators
{
    public static bool TryInteger(TemplateValue value, out BigInteger number)
    {
        number = value is IntValue integer ? integer.Value : value is BoolValue { Value: true } ? 1 : 0;
        return value is IntValue or BoolValue;
    }

    public static bool TryNumber(TemplateValue value, out double number)
    {
        var isInteger = TryInteger(value, out var integer);
        number = value is FloatValue real ? real.Value : (double)integer;
        return isInteger || value is FloatValue;
    }

    /// <summary>An integer that fits .NET's int; larger ones are cut to its bounds, as Python does for slices.</summary>
    public static int Index(TemplateValue value) => TryInteger(value, out var number)
        ? (int)BigInteger.Min(int.MaxValue, BigInteger.Max(-int.MaxValue, number))
        : throw Defined(value, $"'{value.TypeName}' object cannot be interpreted as an integer");

    /// <summary>The failure, or that of the undefined value, which says more.</summary>
    public static TemplateFault Defined(TemplateValue value, string reason) => value is UndefinedValue undefined ? undefined.Fault : new(reason);

    public static TemplateValue Binary(Run run, string operation, TemplateValue left, TemplateValue right)
    {
        if (operation == "%" && left is TextValue format)
        {
            if (format.Markup) throw new TemplateFault("% formatting of text that is marked safe is not supported");
            return PercentFormat.Apply(run, format.Text, right);
        }

        if (left is IntValue || right is IntValue) run.Charge(Math.Min(left.Size, 1000) + Math.Min(right.Size, 1000));
        if (left is UndefinedValue a) throw a.Fault;
        if (right is UndefinedValue b) throw b.Fault;
        switch (operation, left, right)
        {
            case ("+", TextValue x, TextValue y): return Concatenate(run, x, y);
            case ("+", ListValue x, ListValue y) when x.Tuple == y.Tuple:
                run.Elements((long)x.Size + y.Size);
                run.Charge(x.Values.Length + y.Values.Length);
                return new ListValue([.. x.Values, .. y.Values], x.Tuple);
            case ("*", TextValue or ListValue, IntValue or BoolValue): return Repeat(run, left, Index(right));
            case ("*", IntValue or BoolValue, TextValue or ListValue): return Repeat(run, right, Index(left));
        }

        if (left is not FloatValue && right is not FloatValue && TryInteger(left, out var p) && TryInteger(right, out var q)) return OnIntegers(operation, p, q);
        if (TryNumber(left, out var f) && TryNumber(right, out var g)) return new FloatValue(OnFloats(operation, f, g));
        throw new TemplateFault(operation == "+" && left is TextValue
            ? $"can only concatenate str (not \"{right.TypeName}\") to str"
            : $"unsupported operand types for {operation}: '{left.TypeName}' and '{right.TypeName}'");
    }

    private static TextValue Concatenate(Run run, TextValue x, TextValue y)
    {
        if (!x.Markup && !y.Markup) return new(run.Text((long)x.Text.Length + y.Text.Length, () => x.Text + y.Text));
        return new(run.Text((long)x.Text.Length + y.Text.Length, () => (x.Markup ? x.Text : Html.Escape(x.Text)) + (y.Markup ? y.Text : Html.Escape(y.Text))), markup: true);
    }

    private static TemplateValue Repeat(Run run, TemplateValue value, int times)
    {
        times = Math.Max(times, 0);
        if (value is TextValue text) return text.With(run.Text((long)text.Text.Length * times, () => string.Concat(Enumerable.Repeat(text.Text, text.Text.Length == 0 ? 0 : times))));
        var list = (ListValue)value;
        run.Elements((long)list.Size * times);
        run.Charge((long)list.Values.Length * times);
        if (list.Values.Length == 0) times = 0;
        return new ListValue([.. Enumerable.Repeat(list.Values, times).SelectMany(values => values)], list.Tuple);
    }

    private static TemplateValue OnIntegers(string operation, BigInteger p, BigInteger q)
    {
        if (operation is "/" or "//" or "%" && q.IsZero) throw new TemplateFault("division by zero");
        switch (operation)
        {
            case "+": return new IntValue(p + q);
            case "-": return new IntValue(p - q);
            case "*": return new IntValue(p * q);
            case "/": return new FloatValue(Quotient(p, q));
            case "//": return new IntValue(Floor(p, q));
            case "%": return new IntValue(p - Floor(p, q) * q);
            default:
                if (q.Sign < 0) return p.IsZero ? throw new TemplateFault("0.0 cannot be raised to a negative power") : new FloatValue(Math.Pow((double)p, (double)q));
                if (BigInteger.Abs(p) > 1 && q * (p.GetBitLength() - 1) > 14285) throw new TemplateFault($"an integer has more than {IntValue.MaxDigits} digits");
                return new IntValue(BigInteger.Abs(p) <= 1 ? p.IsZero ? (q.IsZero ? 1 : 0) : q.IsEven ? 1 : p : BigInteger.Pow(p, (int)q));
        }
    }

    /// <summary>The nearest float of a quotient of integers: both are cut to 1000 bits where they are too large for a float.</summary>
    private static double Quotient(BigInteger p, BigInteger q)
    {
        var shift = (int)Math.Max(0, Math.Max(p.GetBitLength(), q.GetBitLength()) - 1000);
        return (double)(p >> shift) / (double)(q >> shift) is var value && double.IsFinite(value) ? value : throw new TemplateFault("integer division result too large for a float");
    }

    private static BigInteger Floor(BigInteger p, BigInteger q)
    {
        var quotient = BigInteger.DivRem(p, q, out var rest);
        return !rest.IsZero && rest.Sign < 0 != q.Sign < 0 ? quotient - 1 : quotient;
    }

    private static double OnFloats(string operation, double p, double q)
    {
        if (operation is "/" or "//" or "%" && q == 0) throw new TemplateFault("division by zero");
        switch (operation)
        {
            case "+": return p + q;
            case "-": return p - q;
            case "*": return p * q;
            case "/": return p / q;
            case "**":
                if (p == 0 && q < 0) throw new TemplateFault("0.0 cannot be raised to a negative power");
                if (p < 0 && q != Math.Floor(q)) throw new TemplateFault("a negative number with a fractional power is complex, which is not supported");
                var power = Math.Pow(p, q);
                return double.IsInfinity(power) && double.IsFinite(p) && double.IsFinite(q) ? throw new TemplateFault("the result is too large for a float") : power;
        }

        var rest = p % q;
        if (rest != 0 && rest < 0 != q < 0) rest += q;
        else if (rest == 0) rest = Math.CopySign(0, q);
        if (operation == "%") return rest;
        var quotient = (p - rest) / q;
        var floor = Math.Floor(quotient);
        return quotient == 0 ? Math.CopySign(0, p / q) : quotient - floor > 0.5 ? floor + 1 : floor;
    }

    public static TemplateValue Negate(TemplateValue value) => value is FloatValue number ? new FloatValue(-number.Value)
        : TryInteger(value, out var integer) ? new IntValue(-integer)
        : throw Defined(value, $"bad operand type for unary -: '{value.TypeName}'");

    public static TemplateValue Plus(TemplateValue value) => value is FloatValue ? value
        : TryInteger(value, out var integer) ? new IntValue(integer)
        : throw Defined(value, $"bad operand type for unary +: '{value.TypeName}'");

    /// <summary>Python's <c>==</c>.</summary>
    public static bool Equal(TemplateValue a, TemplateValue b)
    {
        if (ReferenceEquals(a, b)) return a is not FloatValue { Value: double.NaN };
        switch (a, b)
        {
            case (TextValue x, TextValue y): return x.Text == y.Text;
            case (NoneValue, NoneValue) or (UndefinedValue, UndefinedValue): return true;
            case (ListValue x, ListValue y):
                return x.Tuple == y.Tuple && x.Values.Length == y.Values.Length && x.Values.Zip(y.Values).All(pair => ReferenceEquals(pair.First, pair.Second) || Equal(pair.First, pair.Second));
            case (MapValue x, MapValue y):
                return x.Entries.Count == y.Entries.Count && x.Entries.All(entry => y.Find(entry.Key) is { } other && (ReferenceEquals(entry.Value, other) || Equal(entry.Value, other)));
            case (RangeValue x, RangeValue y): return x.Count == y.Count && (x.Count == 0 || (x.Start == y.Start && (x.Count == 1 || x.Step == y.Step)));
            case (ViewValue x, ViewValue y) when x.Kind == y.Kind && x.Kind != "values":
                return x.Source.Entries.Count == y.Source.Entries.Count && x.Source.Entries.All(entry => y.Source.Find(entry.Key) is { } other && (x.Kind == "keys" || Equal(entry.Value, other)));
        }

        if (TryInteger(a, out var p) && TryInteger(b, out var q)) return p == q;
        if (a is FloatValue f && TryInteger(b, out q)) return Same(f.Value, q);
        if (b is FloatValue g && TryInteger(a, out p)) return Same(g.Value, p);
        return a is FloatValue u && b is FloatValue v && u.Value == v.Value;
    }

    private static bool Same(double real, BigInteger integer) => double.IsFinite(real) && real == Math.Floor(real) && new BigInteger(real) == integer;

    /// <summary>Below 0, 0 or above 0 as Python orders these two; null where a NaN is in it.</summary>
    public static int? Compare(TemplateValue a, TemplateValue b)
    {
        if (a is UndefinedValue x) throw x.Fault;
        if (b is UndefinedValue y) throw y.Fault;
        if (a is TextValue s && b is TextValue t) return CompareText(s.Text, t.Text);
        if (a is ListValue p && b is ListValue q && p.Tuple == q.Tuple)
        {
            foreach (var (first, second) in p.Values.Zip(q.Values))
                if (!ReferenceEquals(first, second) && !Equal(first, second)) return Compare(first, second);
            return p.Values.Length - q.Values.Length;
        }

        if (a is not FloatValue && b is not FloatValue && TryInteger(a, out var i) && TryInteger(b, out var j)) return i.CompareTo(j);
        if (TryNumber(a, out var f) && TryNumber(b, out var g))
        {
            if (double.IsNaN(f) || double.IsNaN(g)) return null;
            if (double.IsFinite(f) && double.IsFinite(g) && f == g && TryInteger(a is FloatValue ? b : a, out var whole) && (a is FloatValue) != (b is FloatValue))
                return a is FloatValue ? new BigInteger(f).CompareTo(whole) : whole.CompareTo(new BigInteger(g));
            return f.CompareTo(g);
        }

        throw new TemplateFault($"'{a.TypeName}' and '{b.TypeName}' have no order");
    }

    /// <summary>Order by code points: surrogate pairs come after all other letters.</summary>
    private static int CompareText(string a, string b)
    {
        var at = a.AsSpan().CommonPrefixLength(b);
        if (at == a.Length || at == b.Length) return a.Length - b.Length;
        var (x, y) = (a[at], b[at]);
        return char.IsSurrogate(x) != char.IsSurrogate(y) ? (char.IsSurrogate(x) ? 0x10000 - y : x - 0x10000) : x - y;
    }

    public static bool Holds(string operation, TemplateValue a, TemplateValue b) => operation switch
    {
        "==" => Equal(a, b),
        "!=" => !Equal(a, b),
        "<" => Compare(a, b) < 0,
        "<=" => Compare(a, b) <= 0,
        ">" => Compare(a, b) > 0,
        _ => Compare(a, b) >= 0,
    };

    /// <summary>Python's <c>in</c>.</summary>
    public static bool Contains(Run run, TemplateValue container, TemplateValue item)
    {
        switch (container)
        {
            case TextValue text:
                run.Search(text.Text.Length, (item as TextValue)?.Text.Length ?? 0);
                return item is TextValue part ? text.Text.Contains(part.Text, StringComparison.Ordinal)
                    : throw Defined(item, $"'in <string>' needs a string on the left, not {item.TypeName}");
            case MapValue map:
                run.Charge(item.Size);
                return map.Find(KeyComparer.Key(item)) is not null;
            case ViewValue { Kind: "keys" } view:
                return view.Source.Find(KeyComparer.Key(item)) is not null;
        }

        foreach (var element in container.Items ?? throw new TemplateFault($"a {container.TypeName} holds nothing that 'in' could look for"))
        {
            run.Charge(1 + Math.Min(item.Size, element.Size));
            if (ReferenceEquals(element, item) || Equal(element, item)) return true;
        }

        return false;
    }

    /// <summary>The elements that iterating gives; an error names the type.</summary>
    public static IEnumerable<TemplateValue> Iterate(Run run, TemplateValue value)
    {
        var items = value.Items ?? throw new TemplateFault($"'{value.TypeName}' object is not iterable");
        return Counted(run, items);

        static IEnumerable<TemplateValue> Counted(Run run, IEnumerable<TemplateValue> items)
        {
            foreach (var item in items)
            {
                run.Charge(1);
                yield return item;
            }
        }
    }

    /// <summary>All elements as an array, bounded.</summary>
    public static TemplateValue[] ToArray(Run run, TemplateValue value)
    {
        var result = new List<TemplateValue>();
        foreach (var item in Iterate(run, value))
        {
            run.Elements(result.Count);
            result.Add(item);
        }

        return [.. result];
    }

    /// <summary>A stable sort by Python's order.</summary>
    public static TemplateValue[] Sort(Run run, IEnumerable<TemplateValue> values, Func<TemplateValue, TemplateValue> key, bool reverse = false)
    {
        var comparer = Comparer<TemplateValue>.Create((a, b) =>
        {
            run.Charge(1 + Math.Min(a.Size, b.Size));
            return Compare(a, b) ?? throw new TemplateFault("a NaN cannot be sorted");
        });
        var keyed = values.Select(value =>
        {
            run.Charge(value.Size);
            return (Key: key(value), Value: value);
        }).ToArray();
        if (keyed.Length > 1) foreach (var (k, _) in keyed) comparer.Compare(k, keyed[0].Key);
        try
        {
            return [.. (reverse ? keyed.OrderByDescending(pair => pair.Key, comparer) : keyed.OrderBy(pair => pair.Key, comparer)).Select(pair => pair.Value)];
        }
        catch (InvalidOperationException e) when (e.InnerException is TemplateFault fault)
        {
            throw fault;
        }
    }
}

/// <summary>Keys of dicts and of <c>unique</c>: 1, 1.0 and True are one key, as in Python.</summary>
internal sealed class KeyComparer : IEqualityComparer<TemplateValue>
{
    public static readonly KeyComparer Instance = new();

    public bool Equals(TemplateValue? x, TemplateValue? y) => ReferenceEquals(x, y) || Operators.Equal(x!, y!);

    public int GetHashCode(TemplateValue value) => value switch
    {
        TextValue text => text.Text.GetHashCode(StringComparison.Ordinal),
        FloatValue { Value: var real } when double.IsFinite(real) && real == Math.Floor(real) => new BigInteger(real).GetHashCode(),
        FloatValue real => real.Value.GetHashCode(),
        ListValue { Tuple: true } tuple => tuple.Values.Aggregate(tuple.Values.Length, (hash, item) => HashCode.Combine(hash, GetHashCode(Key(item)))),
        UndefinedValue or NoneValue => 0,
        _ => Operators.TryInteger(value, out var integer) ? integer.GetHashCode() : System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(value),
    };

    /// <summary>This value as a key; lists and dicts cannot be one.</summary>
    public static TemplateValue Key(TemplateValue value) => value is ListValue { Tuple: false } or MapValue
        ? throw new TemplateFault($"a {value.TypeName} cannot be a key (unhashable type: '{value.TypeName}')")
        : value is ListValue tuple && tuple.Values.Any(item => Key(item) is null) ? value : value;
}
