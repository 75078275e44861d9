namespace Deliberate.Inference.Templates;

/// <summary>The parameters and body of a macro or of a <c>call</c> block.</summary>
internal sealed record MacroShape(string Name, (string Name, Expression? Default)[] Parameters, Statement[] Body, bool UsesCaller, bool UsesNamed, bool UsesRest)
{
    /// <summary>The macro as a value: its body sees the names around its definition, at the time it is called.</summary>
    public TemplateValue In(Scope scope) => new ObjectValue("Macro", (run, arguments) => new TextValue(Render(run, scope, arguments)), Describe) { Printed = $"<Macro {(Name.Length > 0 ? PythonText.Repr(new TextValue(Name)) : "anonymous")}>" };

    private TemplateValue? Describe(string member) => member switch
    {
        "name" => Name.Length > 0 ? new TextValue(Name) : TemplateValue.None,
        "arguments" => new ListValue([.. Parameters.Select(parameter => new TextValue(parameter.Name))], tuple: true),
        "catch_kwargs" => BoolValue.Of(UsesNamed),
        "catch_varargs" => BoolValue.Of(UsesRest),
        "caller" => BoolValue.Of(UsesCaller),
        _ => null,
    };

    private string Render(Run run, Scope scope, Arguments arguments)
    {
        var inner = new Scope(scope);
        var named = arguments.Named.ToList();
        run.Charge((long)(Parameters.Length + 1) * (named.Count + 1));
        if (arguments.Positional.Count > Parameters.Length && !UsesRest) throw new TemplateFault($"the macro takes at most {Parameters.Length} argument(s), not {arguments.Positional.Count}");
        for (var i = 0; i < Parameters.Length; i++)
        {
            var (name, otherwise) = Parameters[i];
            var at = named.FindIndex(argument => argument.Key == name);
            if (at >= 0 && i < arguments.Positional.Count) throw new TemplateFault($"the macro got its argument '{name}' twice");
            var value = i < arguments.Positional.Count ? arguments.Positional[i] : at >= 0 ? named[at].Value : null;
            if (at >= 0) named.RemoveAt(at);
            inner.Set(name, value ?? (otherwise is null ? new UndefinedValue($"parameter '{name}' was not provided") : run.Evaluate(otherwise, inner)));
        }

        if (UsesCaller)
        {
            var at = named.FindIndex(argument => argument.Key == "caller");
            if (Parameters.All(parameter => parameter.Name != "caller")) inner.Set("caller", at >= 0 ? named[at].Value : new UndefinedValue("no caller is defined: the macro is called outside of a call block"));
            if (at >= 0) named.RemoveAt(at);
        }

        if (UsesNamed) inner.Set("kwargs", TemplateValue.Map(named));
        else if (named.Count > 0) throw new TemplateFault($"the macro has no argument '{named[0].Key}'");
        if (UsesRest) inner.Set("varargs", new ListValue([.. arguments.Positional.Skip(Parameters.Length)], tuple: true));
        return run.Capture(Body, inner, out _);
    }
}

/// <summary><c>{% macro %}</c>.</summary>
internal sealed class MacroDefinition(int line, MacroShape macro) : Statement(line)
{
    public override string Construct => $"macro '{macro.Name}'";

    public override Flow Render(Run run, Scope scope)
    {
        scope.Set(macro.Name, macro.In(scope));
        return Flow.Next;
    }
}

/// <summary><c>{% call macro() %} … {% endcall %}</c>.</summary>
internal sealed class CallBlock(int line, Call call, MacroShape body) : Statement(line)
{
    public override string Construct => "call block";

    public override Flow Render(Run run, Scope scope)
    {
        var result = call.Evaluate(run, scope, body.In(scope));
        run.Charge(result.Size);
        run.Write(PythonText.Str(result));
        return Flow.Next;
    }
}
