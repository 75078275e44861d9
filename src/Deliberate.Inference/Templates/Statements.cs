namespace Deliberate.Inference.Templates;

/// <summary>Something that writes text or sets names.</summary>
internal abstract class Statement(int line) : Node(line)
{
    public abstract Flow Render(Run run, Scope scope);
}

/// <summary>Text outside of tags.</summary>
internal sealed class Text(int line, string text) : Statement(line)
{
    public override string Construct => "text";

    public override Flow Render(Run run, Scope scope)
    {
        run.At = this;
        run.Write(text);
        return Flow.Next;
    }
}

/// <summary><c>{{ … }}</c> and <c>{% print … %}</c>.</summary>
internal sealed class Output(int line, Expression value) : Statement(line)
{
    public override string Construct => "output";

    public override Flow Render(Run run, Scope scope)
    {
        var result = run.Evaluate(value, scope);
        run.At = value;
        run.Charge(result.Size);
        run.Write(PythonText.Str(result));
        return Flow.Next;
    }
}

internal sealed class If(int line, (Expression Test, Statement[] Body)[] branches, Statement[] otherwise) : Statement(line)
{
    public override string Construct => "if";

    public override Flow Render(Run run, Scope scope)
    {
        foreach (var (test, body) in branches)
        {
            run.At = this;
            if (run.Evaluate(test, scope).Truth) return run.Render(body, scope);
        }

        return run.Render(otherwise, scope);
    }
}

/// <summary>What is assigned to: a name, a member of a namespace, or several of them.</summary>
internal static class Targets
{
    public static void Assign(Run run, Scope scope, Expression target, TemplateValue value)
    {
        switch (target)
        {
            case Name name:
                scope.Set(name.Id, value);
                break;
            case Member { Owner: Name owner } member:
                if (run.Evaluate(owner, scope) is not NamespaceValue space) throw new TemplateFault($"'{owner.Id}' is no namespace, so nothing of it can be set");
                run.At = member;
                space.Members[member.Id] = value;
                break;
            case Sequence sequence:
                var values = Operators.ToArray(run, value);
                if (values.Length != sequence.Items.Length) throw new TemplateFault($"{values.Length} values cannot be unpacked into {sequence.Items.Length} names");
                for (var i = 0; i < values.Length; i++) Assign(run, scope, sequence.Items[i], values[i]);
                break;
        }
    }
}

internal sealed class Set(int line, Expression target, Expression value) : Statement(line)
{
    public override string Construct => "set";

    public override Flow Render(Run run, Scope scope)
    {
        var result = run.Evaluate(value, scope);
        run.At = this;
        Targets.Assign(run, scope, target, result);
        return Flow.Next;
    }
}

/// <summary><c>{% set name %} … {% endset %}</c>, perhaps with filters.</summary>
internal sealed class SetBlock(int line, Expression target, FilterCall? filter, Statement[] body) : Statement(line)
{
    public override string Construct => "set block";

    public override Flow Render(Run run, Scope scope)
    {
        var inner = new Scope(scope);
        var text = run.Capture(body, inner, out var flow);
        if (flow != Flow.Next) return flow;
        TemplateValue value = new TextValue(text);
        if (filter is not null) value = filter.ApplyToBlock(run, inner, value);
        run.At = this;
        Targets.Assign(run, scope, target, value);
        return Flow.Next;
    }
}

internal sealed class With(int line, (Expression Target, Expression Value)[] names, Statement[] body) : Statement(line)
{
    public override string Construct => "with";

    public override Flow Render(Run run, Scope scope)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in names) Targets.Assign(run, inner, target, run.Evaluate(value, scope));
        return run.Render(body, inner);
    }
}

internal sealed class FilterBlock(int line, FilterCall filter, Statement[] body) : Statement(line)
{
    public override string Construct => "filter block";

    public override Flow Render(Run run, Scope scope)
    {
        var inner = new Scope(scope);
        var text = run.Capture(body, inner, out var flow);
        if (flow != Flow.Next) return flow;
        var result = filter.ApplyToBlock(run, inner, new TextValue(text));
        run.Charge(result.Size);
        run.Write(PythonText.Str(result));
        return Flow.Next;
    }
}

/// <summary>A block of template inheritance: without inheritance it is its content, which sees the names of the whole template only.</summary>
internal sealed class Block(int line, string name, bool scoped, bool required, Statement[] body) : Statement(line)
{
    public override string Construct => $"block '{name}'";

    public override Flow Render(Run run, Scope scope)
    {
        run.At = this;
        if (required) throw new TemplateFault("a required block has no content");
        run.Render(body, new(scoped ? scope : scope.Top));
        return Flow.Next;
    }
}

/// <summary><c>{% generation %}</c>: what the model wrote.</summary>
internal sealed class Generation(int line, Statement[] body) : Statement(line)
{
    public override string Construct => "generation";

    public override Flow Render(Run run, Scope scope)
    {
        run.Generation(body, new(scope), Line);
        return Flow.Next;
    }
}

/// <summary><c>break</c> and <c>continue</c>.</summary>
internal sealed class Jump(int line, Flow flow) : Statement(line)
{
    public override string Construct => flow == Flow.Break ? "break" : "continue";

    public override Flow Render(Run run, Scope scope) => flow;
}

/// <summary>A construct that is refused where it is reached.</summary>
internal sealed class Refused(int line, string tag) : Statement(line)
{
    public override string Construct => tag;

    public override Flow Render(Run run, Scope scope)
    {
        run.At = this;
        throw new TemplateFault("a chat template is one file: other templates cannot be loaded");
    }
}
