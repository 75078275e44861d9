namespace Deliberate.Inference.Templates;

/// <summary>A <c>for</c> loop.</summary>
internal sealed class For(int line, Expression target, Expression source, Expression? filter, Statement[] body, Statement[] otherwise, bool recursive) : Statement(line)
{
    public override string Construct => "for";

    public bool Recursive => recursive;

    public override Flow Render(Run run, Scope scope)
    {
        var values = run.Evaluate(source, scope);
        run.At = this;
        Go(run, scope, values, 0);
        return Flow.Next;
    }

    /// <summary>One level of the loop over these values.</summary>
    public void Go(Run run, Scope scope, TemplateValue values, int depth)
    {
        var items = new List<TemplateValue>();
        foreach (var item in Operators.Iterate(run, values))
        {
            run.At = this;
            if (filter is not null)
            {
                var inner = new Scope(scope);
                Targets.Assign(run, inner, target, item);
                if (!run.Evaluate(filter, inner).Truth) continue;
            }

            run.Elements(items.Count);
            items.Add(item);
        }

        var loop = new LoopValue(this, scope, items, depth);
        for (loop.Index = 0; loop.Index < items.Count; loop.Index++)
        {
            run.Charge(1);
            run.At = this;
            var inner = new Scope(scope);
            inner.Set("loop", loop);
            Targets.Assign(run, inner, target, items[loop.Index]);
            if (run.Render(body, inner) == Flow.Break) return;
        }

        if (items.Count == 0) run.Render(otherwise, new(scope));
    }

    /// <summary>The loop over deeper values, as text.</summary>
    public string Recurse(Run run, Scope scope, TemplateValue values, int depth) => run.Capture([new Deeper(this, values, depth)], scope, out _);

    private sealed class Deeper(For loop, TemplateValue values, int depth) : Statement(loop.Line)
    {
        public override string Construct => "for";

        public override Flow Render(Run run, Scope scope)
        {
            run.At = this;
            loop.Go(run, scope, values, depth);
            return Flow.Next;
        }
    }
}

/// <summary>The variable <c>loop</c>.</summary>
internal sealed class LoopValue(For loop, Scope scope, List<TemplateValue> items, int depth) : TemplateValue
{
    private TemplateValue[]? _last;

    public int Index { get; set; }

    public string Printed => $"<LoopContext {Index + 1}/{items.Count}>";

    internal override string TypeName => "LoopContext";

    internal override int? Length => items.Count;

    public TemplateValue? Member(string name) => name switch
    {
        "index" => new IntValue(Index + 1),
        "index0" => new IntValue(Index),
        "revindex" => new IntValue(items.Count - Index),
        "revindex0" => new IntValue(items.Count - Index - 1),
        "first" => BoolValue.Of(Index == 0),
        "last" => BoolValue.Of(Index >= items.Count - 1),
        "length" => new IntValue(items.Count),
        "depth" => new IntValue(depth + 1),
        "depth0" => new IntValue(depth),
        "previtem" => Index > 0 ? items[Index - 1] : new UndefinedValue("there is no previous item"),
        "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new UndefinedValue("there is no next item"),
        "cycle" => new ObjectValue("method", (_, arguments) => arguments.Positional is { Count: > 0 } values ? values[Index % values.Count] : throw new TemplateFault("loop.cycle needs a value")),
        "changed" => new ObjectValue("method", (run, arguments) => BoolValue.Of(Changed(run, [.. arguments.Positional]))),
        _ => null,
    };

    public TextValue Recurse(Run run, Arguments arguments)
    {
        var values = arguments.Bind("loop", "iterable")[0]!;
        return loop.Recursive ? new(loop.Recurse(run, scope, values, depth + 1)) : throw new TemplateFault("loop(…) needs a loop marked 'recursive'");
    }

    private bool Changed(Run run, TemplateValue[] values)
    {
        run.Charge(values.Sum(value => (long)value.Size));
        if (_last is not null && _last.Length == values.Length && _last.Zip(values).All(pair => Operators.Equal(pair.First, pair.Second))) return false;
        _last = values;
        return true;
    }
}
