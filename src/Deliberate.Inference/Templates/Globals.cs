using System.Numerics;

namespace Deliberate.Inference.Templates;

/// <summary>The functions that every template sees.</summary>
internal static class Globals
{
    public static void AddTo(Scope scope)
    {
        Add("range", "type", Range);
        Add("dict", "type", (run, arguments) => new MapValue(Entries(run, arguments, "dict")));
        Add("namespace", "type", (run, arguments) =>
        {
            var members = new Dictionary<string, TemplateValue>(StringComparer.Ordinal);
            foreach (var (key, value) in Entries(run, arguments, "namespace")) members[key.Text("")] = value;
            return new NamespaceValue(members);
        });
        Add("raise_exception", "function", (_, arguments) => throw new TemplateFault(PythonText.Str(arguments.Bind("raise_exception", "message")[0]!), raised: true));
        Add("strftime_now", "function", (run, arguments) => new TextValue(Clock.Format(run, arguments.Bind("strftime_now", "format")[0].Text(""))));
        Add("cycler", "type", (_, arguments) => Cycler([.. arguments.Positional]));
        Add("joiner", "type", (_, arguments) => Joiner(arguments.Bind("joiner", "sep?")[0] ?? new TextValue(", ")));
        Add("lipsum", "function", (_, _) => throw new TemplateFault("lipsum is not supported"));

        void Add(string name, string type, Func<Run, Arguments, TemplateValue> call) => scope.Set(name, new ObjectValue(type, call)
        {
            Printed = name switch
            {
                "range" or "dict" => $"<class '{name}'>",
                "cycler" or "joiner" or "namespace" => $"<class 'jinja2.utils.{char.ToUpperInvariant(name[0])}{name[1..]}'>",
                _ => null,
            },
        });
    }

    private static RangeValue Range(Run run, Arguments arguments)
    {
        if (arguments.Named.Count > 0 || arguments.Positional.Count is 0 or > 3) throw new TemplateFault("range takes one to three numbers");
        var numbers = arguments.Positional.Select(value => Operators.TryInteger(value, out var number) ? number : throw Operators.Defined(value, $"'{value.TypeName}' object cannot be interpreted as an integer")).ToArray();
        var (start, stop, step) = numbers.Length == 1 ? (0, numbers[0], 1) : (numbers[0], numbers[1], numbers.Length > 2 ? numbers[2] : BigInteger.One);
        if (step.IsZero) throw new TemplateFault("the step of a range is zero");
        var span = step.Sign > 0 ? stop - start : start - stop;
        var count = span.Sign <= 0 ? 0 : (span + BigInteger.Abs(step) - 1) / BigInteger.Abs(step);
        if (count > run.Limits.RangeLength) throw new TemplateFault($"a range has more than {run.Limits.RangeLength} elements (limit {nameof(TemplateLimits.RangeLength)})");
        return new(start, stop, step, (int)count);
    }

    /// <summary>What <c>dict(…)</c> takes: a dict or pairs, then names.</summary>
    private static List<KeyValuePair<TemplateValue, TemplateValue>> Entries(Run run, Arguments arguments, string function)
    {
        if (arguments.Positional.Count > 1) throw new TemplateFault($"{function} takes at most one dict");
        var entries = new List<KeyValuePair<TemplateValue, TemplateValue>>();
        run.Charge(arguments.Positional.Sum(value => (long)value.Size));
        if (arguments.Positional is [MapValue map]) entries.AddRange(map.Entries);
        else if (arguments.Positional is [var pairs])
            entries.AddRange(Operators.ToArray(run, pairs).Select(pair => Operators.ToArray(run, pair) is [var key, var value] ? KeyValuePair.Create(KeyComparer.Key(key), value) : throw new TemplateFault($"{function} needs pairs of key and value")));
        entries.AddRange(arguments.Named.Select(argument => KeyValuePair.Create((TemplateValue)new TextValue(argument.Key), argument.Value)));
        return entries;
    }

    private static ObjectValue Cycler(TemplateValue[] items)
    {
        if (items.Length == 0) throw new TemplateFault("cycler needs at least one value");
        var (place, tuple) = (0, new ListValue(items, tuple: true));
        return new("Cycler", null, member => member switch
        {
            "current" => items[place],
            "next" => new ObjectValue("method", (_, _) =>
            {
                var item = items[place];
                place = (place + 1) % items.Length;
                return item;
            }),
            "reset" => new ObjectValue("method", (_, _) =>
            {
                place = 0;
                return TemplateValue.None;
            }),
            "items" => tuple,
            "pos" => new IntValue(place),
            _ => null,
        });
    }

    private static ObjectValue Joiner(TemplateValue separator)
    {
        var used = false;
        return new("Joiner", (_, _) =>
        {
            if (used) return separator;
            used = true;
            return TextValue.Empty;
        }, member => member switch
        {
            "sep" => separator,
            "used" => BoolValue.Of(used),
            _ => null,
        });
    }
}
