namespace Deliberate.Inference.Templates;

/// <summary>The arguments of a call, a filter or a test.</summary>
internal sealed class Arguments(IReadOnlyList<TemplateValue> positional, IReadOnlyList<KeyValuePair<string, TemplateValue>> named)
{
    public static readonly Arguments Empty = new([], []);

    public IReadOnlyList<TemplateValue> Positional => positional;

    public IReadOnlyList<KeyValuePair<string, TemplateValue>> Named => named;

    public static Arguments Of(params TemplateValue[] values) => new(values, []);

    /// <summary>The arguments without the first ones.</summary>
    public Arguments Skip(int count) => new([.. positional.Skip(count)], named);

    public TemplateValue? Find(string name) => named.FirstOrDefault(argument => argument.Key == name).Value;

    /// <summary>
    /// Lays the arguments out by these parameters: <c>name</c> is required, <c>name?</c> may be left out and gives null there. Too many, unknown and
    /// doubled ones are refused.
    /// </summary>
    public TemplateValue?[] Bind(string function, params string[] parameters)
    {
        if (positional.Count > parameters.Length) throw new TemplateFault($"{function} takes at most {parameters.Length} argument(s), not {positional.Count}");
        var bound = new TemplateValue?[parameters.Length];
        for (var i = 0; i < positional.Count; i++) bound[i] = positional[i];
        foreach (var (name, value) in named)
        {
            var place = Array.FindIndex(parameters, parameter => parameter.TrimEnd('?') == name);
            if (place < 0) throw new TemplateFault($"{function} has no argument '{name}'");
            if (bound[place] is not null) throw new TemplateFault($"{function} got its argument '{name}' twice");
            bound[place] = value;
        }

        for (var i = 0; i < bound.Length; i++)
            if (bound[i] is null && !parameters[i].EndsWith('?')) throw new TemplateFault($"{function} needs its argument '{parameters[i]}'");
        return bound;
    }
}

/// <summary>Readings of bound arguments.</summary>
internal static class ArgumentReadings
{
    public static string Text(this TemplateValue? value, string otherwise) => value switch
    {
        null => otherwise,
        TextValue text => text.Text,
        _ => throw Operators.Defined(value, $"a string is needed, not {value.TypeName}"),
    };

    public static int Int(this TemplateValue? value, int otherwise) => value is null ? otherwise : Operators.Index(value);

    public static bool Flag(this TemplateValue? value, bool otherwise = false) => value?.Truth ?? otherwise;
}
