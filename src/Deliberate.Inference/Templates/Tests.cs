namespace Deliberate.Inference.Templates;

/// <summary>A test of a value.</summary>
internal delegate bool Test(Run run, TemplateValue value, Arguments arguments);

/// <summary>Jinja2's tests by name.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, Test> All = Build();

    public static Test? Find(string name) => All.GetValueOrDefault(name);

    private static Dictionary<string, Test> Build()
    {
        var all = new Dictionary<string, Test>(StringComparer.Ordinal);
        Add("defined", value => value is not UndefinedValue);
        Add("undefined", value => value is UndefinedValue);
        Add("none", value => value is NoneValue);
        Add("boolean", value => value is BoolValue);
        Add("true", value => value is BoolValue { Value: true });
        Add("false", value => value is BoolValue { Value: false });
        Add("integer", value => value is IntValue);
        Add("float", value => value is FloatValue);
        Add("number", value => value is IntValue or FloatValue or BoolValue);
        Add("string", value => value is TextValue);
        Add("mapping", value => value is MapValue);
        Add("sequence", value => value is TextValue or ListValue or MapValue or RangeValue or UndefinedValue);
        Add("iterable", value => value.Items is not null);
        Add("callable", value => value is ObjectValue { Call: not null } or LoopValue or UndefinedValue);
        Add("escaped", value => value is TextValue { Markup: true });
        Add("filter", value => value is TextValue text && Filters.Find(text.Text) is not null);
        Add("test", value => value is TextValue text && Find(text.Text) is not null);
        Add("lower", value => PythonText.Str(value) is var text && text == PythonText.Lower(text) && text != PythonText.Upper(text));
        Add("upper", value => PythonText.Str(value) is var text && text == PythonText.Upper(text) && text != PythonText.Lower(text));
        all["odd"] = (run, value, arguments) => arguments.Bind("test 'odd'") is not null && Operators.Equal(Remainder(run, value, new IntValue(2)), new IntValue(1));
        all["even"] = (run, value, arguments) => arguments.Bind("test 'even'") is not null && !Remainder(run, value, new IntValue(2)).Truth;
        AddWith("divisibleby", "num", (run, value, other) => !Remainder(run, value, other).Truth);
        AddWith("sameas", "other", (_, value, other) => ReferenceEquals(value, other) || (value is NoneValue or BoolValue or TextValue or IntValue && value.GetType() == other.GetType() && Operators.Equal(value, other)));
        AddWith("in", "seq", (run, value, other) => Operators.Contains(run, other, value));
        foreach (var (operation, names) in new[] { ("==", "eq equalto =="), ("!=", "ne !="), ("<", "lt lessthan <"), ("<=", "le <="), (">", "gt greaterthan >"), (">=", "ge >=") })
            foreach (var name in names.Split(' ')) AddWith(name, "other", (_, value, other) => Operators.Holds(operation, value, other));
        return all;

        void Add(string name, Func<TemplateValue, bool> body) => all[name] = (run, value, arguments) =>
        {
            arguments.Bind($"test '{name}'");
            if (name is "lower" or "upper") run.Charge(value.Size + PythonText.Str(value).Length / 16);
            return body(value);
        };

        void AddWith(string name, string parameter, Func<Run, TemplateValue, TemplateValue, bool> body) => all[name] = (run, value, arguments) =>
        {
            var other = arguments.Bind($"test '{name}'", parameter)[0]!;
            run.Charge(Math.Min(value.Size, other.Size));
            return body(run, value, other);
        };
    }

    private static TemplateValue Remainder(Run run, TemplateValue value, TemplateValue other) => value is TextValue
        ? throw new TemplateFault("a number is needed, not a string") : Operators.Binary(run, "%", value, other);
}
