namespace Deliberate.Inference.Templates;

/// <summary>A part of a parsed template.</summary>
internal abstract class Node(int line)
{
    public int Line => line;

    /// <summary>What it is, for errors.</summary>
    public abstract string Construct { get; }
}

/// <summary>Something with a value.</summary>
internal abstract class Expression(int line) : Node(line)
{
    /// <summary>Its value; use <see cref="Run.Evaluate"/>, which counts.</summary>
    public abstract TemplateValue Evaluate(Run run, Scope scope);
}

internal sealed class Literal(int line, TemplateValue value) : Expression(line)
{
    public TemplateValue Value => value;

    public override string Construct => "literal";

    public override TemplateValue Evaluate(Run run, Scope scope) => value;
}

internal sealed class Name(int line, string id) : Expression(line)
{
    public string Id => id;

    public override string Construct => $"'{id}'";

    public override TemplateValue Evaluate(Run run, Scope scope) => scope.Find(id) ?? new UndefinedValue($"'{id}' is undefined");
}

/// <summary>A list or tuple display.</summary>
internal sealed class Sequence(int line, Expression[] items, bool tuple) : Expression(line)
{
    public Expression[] Items => items;

    public bool Tuple => tuple;

    public override string Construct => tuple ? "tuple" : "list";

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        var values = new TemplateValue[items.Length];
        for (var i = 0; i < values.Length; i++) values[i] = run.Evaluate(items[i], scope);
        run.At = this;
        return new ListValue(values, tuple);
    }
}

/// <summary>A dict display.</summary>
internal sealed class Mapping(int line, (Expression Key, Expression Value)[] entries) : Expression(line)
{
    public override string Construct => "dict";

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        var values = new List<KeyValuePair<TemplateValue, TemplateValue>>();
        foreach (var (key, value) in entries) values.Add(new(KeyComparer.Key(run.Evaluate(key, scope)), run.Evaluate(value, scope)));
        run.At = this;
        run.Charge(values.Sum(entry => (long)entry.Key.Size));
        return new MapValue(values);
    }
}

internal sealed class Unary(int line, string operation, Expression operand) : Expression(line)
{
    public override string Construct => $"'{operation}'";

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        var value = run.Evaluate(operand, scope);
        run.At = this;
        return operation switch
        {
            "not" => BoolValue.Of(!value.Truth),
            "-" => Operators.Negate(value),
            _ => Operators.Plus(value),
        };
    }
}

internal sealed class Binary(int line, string operation, Expression left, Expression right) : Expression(line)
{
    public override string Construct => $"'{operation}'";

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        var first = run.Evaluate(left, scope);
        if (operation == "and" ? !first.Truth : operation == "or" && first.Truth) return first;
        var second = run.Evaluate(right, scope);
        if (operation is "and" or "or") return second;
        run.At = this;
        return Operators.Binary(run, operation, first, second);
    }
}

/// <summary>Strings joined with <c>~</c>.</summary>
internal sealed class Joined(int line, Expression[] parts) : Expression(line)
{
    public override string Construct => "'~'";

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        var texts = new string[parts.Length];
        var length = 0L;
        for (var i = 0; i < parts.Length; i++)
        {
            var value = run.Evaluate(parts[i], scope);
            run.At = this;
            run.Charge(value.Size);
            texts[i] = PythonText.Str(value);
            run.Length(length += texts[i].Length);
        }

        return new TextValue(string.Concat(texts));
    }
}

/// <summary>Comparisons, which may be chained.</summary>
internal sealed class Comparison(int line, Expression first, (string Operation, Expression Right)[] rest) : Expression(line)
{
    public override string Construct => $"'{rest[0].Operation}'";

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        var left = run.Evaluate(first, scope);
        foreach (var (operation, expression) in rest)
        {
            var right = run.Evaluate(expression, scope);
            run.At = this;
            run.Charge(Math.Min(left.Size, right.Size));
            var holds = operation switch
            {
                "in" => Operators.Contains(run, right, left),
                "not in" => !Operators.Contains(run, right, left),
                _ => Operators.Holds(operation, left, right),
            };
            if (!holds) return BoolValue.False;
            left = right;
        }

        return BoolValue.True;
    }
}

/// <summary><c>a if b else c</c>.</summary>
internal sealed class Conditional(int line, Expression test, Expression then, Expression? otherwise) : Expression(line)
{
    public override string Construct => "inline if";

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        if (run.Evaluate(test, scope).Truth) return run.Evaluate(then, scope);
        return otherwise is null ? new UndefinedValue($"the inline if of line {Line} is false and has no else") : run.Evaluate(otherwise, scope);
    }
}

internal sealed class Member(int line, Expression owner, string name) : Expression(line)
{
    public Expression Owner => owner;

    public string Id => name;

    public override string Construct => $"'.{name}'";

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        var value = run.Evaluate(owner, scope);
        run.At = this;
        return Members.Get(run, value, name);
    }
}

internal sealed class Subscript(int line, Expression owner, Expression key) : Expression(line)
{
    public override string Construct => "subscript";

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        var value = run.Evaluate(owner, scope);
        if (key is Slice slice)
        {
            var (from, to, by) = (Slice.Bound(run, scope, slice.From), Slice.Bound(run, scope, slice.To), Slice.Bound(run, scope, slice.By));
            run.At = this;
            return Members.Slice(run, value, from, to, by);
        }

        var place = run.Evaluate(key, scope);
        run.At = this;
        return Members.Element(run, value, place);
    }
}

/// <summary><c>a:b:c</c> in a subscript.</summary>
internal sealed class Slice(int line, Expression? from, Expression? to, Expression? by) : Expression(line)
{
    public Expression? From => from;

    public Expression? To => to;

    public Expression? By => by;

    public override string Construct => "slice";

    public static TemplateValue? Bound(Run run, Scope scope, Expression? bound) => bound is null ? null : run.Evaluate(bound, scope);

    public override TemplateValue Evaluate(Run run, Scope scope) => throw new TemplateFault("a slice cannot stand beside other subscripts");
}

/// <summary>The arguments written at a call, a filter or a test.</summary>
internal sealed class ArgumentList(Expression[] positional, KeyValuePair<string, Expression>[] named, Expression? spread, Expression? spreadNamed)
{
    public static readonly ArgumentList Empty = new([], [], null, null);

    public Arguments Evaluate(Run run, Scope scope)
    {
        var values = positional.Select(argument => run.Evaluate(argument, scope)).ToList();
        var names = named.Select(argument => KeyValuePair.Create(argument.Key, run.Evaluate(argument.Value, scope))).ToList();
        if (spread is not null) values.AddRange(Operators.ToArray(run, run.Evaluate(spread, scope)));
        if (spreadNamed is not null)
        {
            var map = run.Evaluate(spreadNamed, scope) as MapValue ?? throw new TemplateFault("what follows ** is no dict");
            run.Charge(map.Size);
            names.AddRange(map.Entries.Select(entry => KeyValuePair.Create(entry.Key.Text(""), entry.Value)));
        }

        if (names.GroupBy(name => name.Key).FirstOrDefault(group => group.Skip(1).Any()) is { } twice) throw new TemplateFault($"the argument '{twice.Key}' is given twice");
        return new(values, names);
    }
}

internal sealed class Call(int line, Expression function, ArgumentList arguments) : Expression(line)
{
    public override string Construct => function switch
    {
        Name name => $"call of '{name.Id}'",
        Member member => $"call of '.{member.Id}'",
        _ => "call",
    };

    public override TemplateValue Evaluate(Run run, Scope scope) => Evaluate(run, scope, caller: null);

    /// <summary>The call with the body of a <c>call</c> block as its caller.</summary>
    public TemplateValue Evaluate(Run run, Scope scope, TemplateValue? caller)
    {
        var callee = run.Evaluate(function, scope);
        run.At = this;
        var values = arguments.Evaluate(run, scope);
        if (caller is not null) values = new(values.Positional, [.. values.Named, new("caller", caller)]);
        run.At = this;
        return Invoke(run, callee, values);
    }

    public static TemplateValue Invoke(Run run, TemplateValue callee, Arguments arguments) => callee switch
    {
        UndefinedValue undefined => throw undefined.Fault,
        ObjectValue { Call: { } call } => call(run, arguments),
        LoopValue loop => loop.Recurse(run, arguments),
        _ => throw new TemplateFault($"'{callee.TypeName}' object is not callable"),
    };
}

/// <summary>A filter on a value; the value is null at the head of a filter block, where the text of the block takes its place.</summary>
internal sealed class FilterCall(int line, Expression? value, string name, ArgumentList arguments) : Expression(line)
{
    private readonly Filter? _filter = Filters.Find(name);

    public override string Construct => $"filter '{name}'";

    public bool Known => _filter is not null;

    private Expression? Value => value;

    public override TemplateValue Evaluate(Run run, Scope scope) => Apply(run, scope, run.Evaluate(value!, scope));

    /// <summary>Applies this filter, and those written before it, to the text of a block.</summary>
    public TemplateValue ApplyToBlock(Run run, Scope scope, TemplateValue text)
    {
        var chain = new Stack<FilterCall>();
        for (var filter = this; filter is not null; filter = filter.Value as FilterCall) chain.Push(filter);
        foreach (var filter in chain) text = filter.Apply(run, scope, text);
        return text;
    }

    private TemplateValue Apply(Run run, Scope scope, TemplateValue input)
    {
        run.At = this;
        var values = arguments == ArgumentList.Empty ? Arguments.Empty : arguments.Evaluate(run, scope);
        run.At = this;
        return (_filter ?? throw new TemplateFault("there is no such filter"))(run, input, values);
    }
}

/// <summary><c>value is test</c>.</summary>
internal sealed class TestCall(int line, Expression value, string name, ArgumentList arguments) : Expression(line)
{
    private readonly Test? _test = Tests.Find(name);

    public override string Construct => $"test '{name}'";

    public bool Known => _test is not null;

    public override TemplateValue Evaluate(Run run, Scope scope)
    {
        var input = run.Evaluate(value, scope);
        run.At = this;
        var values = arguments == ArgumentList.Empty ? Arguments.Empty : arguments.Evaluate(run, scope);
        run.At = this;
        return BoolValue.Of((_test ?? throw new TemplateFault("there is no such test"))(run, input, values));
    }
}
