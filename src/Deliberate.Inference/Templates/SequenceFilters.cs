namespace Deliberate.Inference.Templates;

/// <summary>Filters on lists, dicts and whatever else can be gone through.</summary>
internal static class SequenceFilters
{
    public static void AddTo(Dictionary<string, Filter> all)
    {
        Add("length", [], (_, value, _) => value.Length is { } length ? new IntValue(length) : throw new TemplateFault($"object of type '{value.TypeName}' has no len()"));
        Add("list", [], (run, value, _) => new ListValue(Operators.ToArray(run, value)));
        Add("first", [], (run, value, _) => Operators.Iterate(run, value).FirstOrDefault() ?? new UndefinedValue("No first item, sequence was empty."));
        Add("last", [], (run, value, _) => value switch
        {
            IteratorValue => throw new TemplateFault($"'{value.TypeName}' object is not reversible"),
            _ => Operators.ToArray(run, value).LastOrDefault() ?? new UndefinedValue("No last item, sequence was empty."),
        });
        Add("items", [], (run, value, _) => value switch
        {
            UndefinedValue => Lazy(value, []),
            MapValue map => Lazy(value, new ViewValue(map, "items").Items),
            _ => throw new TemplateFault($"it needs a dict, not {value.TypeName}"),
        });
        Add("join", ["d?", "attribute?"], (run, value, bound) => Join(run, Mapped(run, value, bound[1]), bound[0] is null ? "" : Filters.Soft(run, bound[0]!)));
        Add("reverse", [], (run, value, _) =>
        {
            if (value is TextValue) return Members.Slice(run, value, null, null, new IntValue(-1));
            var items = Operators.ToArray(run, value);
            Array.Reverse(items);
            return Lazy(value, items, "list_reverseiterator");
        });
        Add("sort", ["reverse?", "case_sensitive?", "attribute?"], (run, value, bound) =>
            new ListValue(Operators.Sort(run, Operators.ToArray(run, value), item => Keys(run, item, bound[2], bound[1].Flag()), bound[0].Flag())));
        Add("dictsort", ["case_sensitive?", "by?", "reverse?"], (run, value, bound) =>
        {
            var by = bound[1].Text("key");
            if (by is not ("key" or "value")) throw new TemplateFault("it sorts by \"key\" or \"value\"");
            var map = value as MapValue ?? throw Operators.Defined(value, $"it needs a dict, not {value.TypeName}");
            return new ListValue(Operators.Sort(run, new ViewValue(map, "items").Items, item => Folded(((ListValue)item).Values[by == "key" ? 0 : 1], bound[0].Flag()), bound[2].Flag()));
        });
        Add("unique", ["case_sensitive?", "attribute?"], (run, value, bound) => Lazy(value, Unique(run, value, bound[0].Flag(), bound[1])));
        Add("groupby", ["attribute", "default?", "case_sensitive?"], (run, value, bound) => GroupBy(run, value, bound[0]!, bound[1], bound[2].Flag()));
        Add("min", ["case_sensitive?", "attribute?"], (run, value, bound) => Extreme(run, value, bound, -1));
        Add("max", ["case_sensitive?", "attribute?"], (run, value, bound) => Extreme(run, value, bound, 1));
        Add("sum", ["attribute?", "start?"], (run, value, bound) =>
        {
            var sum = bound[1] ?? new IntValue(0);
            if (sum is TextValue) throw new TemplateFault("strings are joined with 'join', not summed");
            foreach (var item in Mapped(run, value, bound[0] is NoneValue ? null : bound[0]))
            {
                run.Charge(sum.Size);
                sum = Operators.Binary(run, "+", sum, item);
            }

            return sum;
        });
        Add("batch", ["linecount", "fill_with?"], (run, value, bound) => Lazy(value, Batch(run, value, bound[0].Int(1), bound[1])));
        Add("slice", ["slices", "fill_with?"], (run, value, bound) => Lazy(value, Slices(run, value, bound[0].Int(1), bound[1])));
        all["map"] = (run, value, arguments) => value.Truth ? Lazy(value, Map(run, value, arguments)) : Lazy(value, []);
        foreach (var name in new[] { "select", "reject", "selectattr", "rejectattr" })
            all[name] = (run, value, arguments) => value.Truth ? Lazy(value, Select(run, value, arguments, byAttribute: name.EndsWith("attr", StringComparison.Ordinal), keeps: name[0] == 's')) : Lazy(value, []);

        void Add(string name, string[] parameters, Func<Run, TemplateValue, TemplateValue?[], TemplateValue> body) =>
            all[name] = (run, value, arguments) => body(run, value, arguments.Bind($"filter '{name}'", parameters));
    }

    private static IteratorValue Lazy(TemplateValue source, IEnumerable<TemplateValue> items, string type = "generator") => new(type, source.Depth + 1, items);

    /// <summary>Reads <c>a.b.0</c> of each item; a number is an index.</summary>
    private static Func<TemplateValue, TemplateValue> Attribute(Run run, TemplateValue path, TemplateValue? otherwise = null)
    {
        run.Charge(path.Size);
        TemplateValue[] parts = path is TextValue text
            ? [.. text.Text.Split('.').Select(part => part.Length is > 0 and < 9 && part.All(char.IsAsciiDigit) ? (TemplateValue)new IntValue(int.Parse(part, System.Globalization.CultureInfo.InvariantCulture)) : new TextValue(part))]
            : [path];
        return item =>
        {
            foreach (var part in parts)
            {
                run.Charge(1);
                item = Members.Element(run, item, part);
                if (item is UndefinedValue && otherwise is not null) item = otherwise;
            }

            return item;
        };
    }

    private static IEnumerable<TemplateValue> Mapped(Run run, TemplateValue value, TemplateValue? attribute) =>
        attribute is null or NoneValue ? Operators.Iterate(run, value) : Operators.Iterate(run, value).Select(Attribute(run, attribute));

    /// <summary>Text without its case, unless the filter is case-sensitive.</summary>
    private static TemplateValue Folded(TemplateValue value, bool caseSensitive) => !caseSensitive && value is TextValue text ? new TextValue(PythonText.Lower(text.Text)) : value;

    private static TemplateValue Keys(Run run, TemplateValue item, TemplateValue? attributes, bool caseSensitive) => attributes switch
    {
        null or NoneValue => Folded(item, caseSensitive),
        TextValue { Text: var several } => new ListValue([.. several.Split(',').Select(path => Folded(Attribute(run, new TextValue(path))(item), caseSensitive))]),
        _ => new ListValue([Folded(Attribute(run, attributes)(item), caseSensitive)]),
    };

    private static TextValue Join(Run run, IEnumerable<TemplateValue> items, string separator)
    {
        var result = new System.Text.StringBuilder();
        var first = true;
        foreach (var item in items)
        {
            run.Charge(item.Size);
            var text = PythonText.Str(item);
            run.Charge((text.Length + separator.Length) / 16);
            if ((long)result.Length + text.Length + separator.Length > run.Limits.TextLength) run.Length((long)result.Length + text.Length + separator.Length);
            if (!first) result.Append(separator);
            first = false;
            result.Append(text);
        }

        return new(result.ToString());
    }

    private static IEnumerable<TemplateValue> Unique(Run run, TemplateValue value, bool caseSensitive, TemplateValue? attribute)
    {
        var seen = new HashSet<TemplateValue>(KeyComparer.Instance);
        foreach (var item in Operators.Iterate(run, value))
        {
            var key = Folded(attribute is null or NoneValue ? item : Attribute(run, attribute)(item), caseSensitive);
            run.Charge(key.Size);
            if (seen.Add(KeyComparer.Key(key))) yield return item;
        }
    }

    private static ListValue GroupBy(Run run, TemplateValue value, TemplateValue attribute, TemplateValue? otherwise, bool caseSensitive)
    {
        var read = Attribute(run, attribute, otherwise is NoneValue ? null : otherwise);
        var sorted = Operators.Sort(run, Operators.ToArray(run, value), item => Folded(read(item), caseSensitive));
        var groups = new List<(TemplateValue Key, List<TemplateValue> Items)>();
        foreach (var item in sorted)
        {
            var key = Folded(read(item), caseSensitive);
            if (groups.Count == 0 || !Operators.Equal(groups[^1].Key, key)) groups.Add((key, []));
            groups[^1].Items.Add(item);
        }

        return new([.. groups.Select(group => new ListValue([caseSensitive ? group.Key : read(group.Items[0]), new ListValue([.. group.Items])], tuple: true) { IsGroup = true })]);
    }

    private static TemplateValue Extreme(Run run, TemplateValue value, TemplateValue?[] bound, int sign)
    {
        TemplateValue? best = null, bestKey = null;
        foreach (var item in Operators.Iterate(run, value))
        {
            var key = Folded(bound[1] is null or NoneValue ? item : Attribute(run, bound[1]!)(item), bound[0].Flag());
            run.Charge(key.Size);
            if (bestKey is null || Operators.Compare(key, bestKey) * sign > 0) (best, bestKey) = (item, key);
        }

        return best ?? new UndefinedValue("No aggregated item, sequence was empty.");
    }

    private static IEnumerable<TemplateValue> Batch(Run run, TemplateValue value, int count, TemplateValue? fill)
    {
        var row = new List<TemplateValue>();
        foreach (var item in Operators.Iterate(run, value))
        {
            if (row.Count == count)
            {
                yield return new ListValue([.. row]);
                row.Clear();
            }

            run.Elements(row.Count);
            row.Add(item);
        }

        if (row.Count == 0) yield break;
        if (fill is not (null or NoneValue) && row.Count < count)
        {
            run.Elements((long)count * fill.Size);
            run.Charge(count);
            row.AddRange(Enumerable.Repeat(fill, count - row.Count));
        }

        yield return new ListValue([.. row]);
    }

    private static IEnumerable<TemplateValue> Slices(Run run, TemplateValue value, int slices, TemplateValue? fill)
    {
        var items = Operators.ToArray(run, value);
        if (slices == 0) throw new TemplateFault("division by zero");
        var (each, extra, offset) = (items.Length / Math.Max(slices, 1), items.Length % Math.Max(slices, 1), 0);
        for (var i = 0; i < slices; i++)
        {
            run.Charge(1 + each);
            var start = offset + i * each;
            if (i < extra) offset++;
            var row = items[start..(offset + (i + 1) * each)];
            yield return new ListValue(fill is not (null or NoneValue) && i >= extra ? [.. row, fill] : row);
        }
    }

    private static IEnumerable<TemplateValue> Map(Run run, TemplateValue value, Arguments arguments)
    {
        if (arguments.Positional.Count == 0 && arguments.Find("attribute") is { } attribute)
        {
            if (arguments.Named.FirstOrDefault(argument => argument.Key is not ("attribute" or "default")).Key is { } unknown) throw new TemplateFault($"unexpected argument '{unknown}'");
            return Operators.Iterate(run, value).Select(Attribute(run, attribute, arguments.Find("default") is NoneValue ? null : arguments.Find("default")));
        }

        if (arguments.Positional.Count == 0) throw new TemplateFault("filter 'map' needs a filter");
        var name = arguments.Positional[0].Text("");
        var filter = Filters.Find(name) ?? throw new TemplateFault($"there is no filter '{name}'");
        var rest = arguments.Skip(1);
        return Operators.Iterate(run, value).Select(item => filter(run, item, rest));
    }

    private static IEnumerable<TemplateValue> Select(Run run, TemplateValue value, Arguments arguments, bool byAttribute, bool keeps)
    {
        Func<TemplateValue, TemplateValue> read = item => item;
        if (byAttribute)
        {
            if (arguments.Positional.Count == 0) throw new TemplateFault("it needs the name of an attribute");
            read = Attribute(run, arguments.Positional[0]);
            arguments = arguments.Skip(1);
        }

        Test test = (_, item, _) => item.Truth;
        if (arguments.Positional.Count > 0)
        {
            var name = arguments.Positional[0].Text("");
            test = Tests.Find(name) ?? throw new TemplateFault($"there is no test '{name}'");
            arguments = arguments.Skip(1);
        }

        return Operators.Iterate(run, value).Where(item => test(run, read(item), arguments) == keeps);
    }
}
