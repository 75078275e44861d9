using System.Numerics;

namespace Deliberate.Inference.Templates;

/// <summary>A filter: what it makes of a value with these arguments.</summary>
internal delegate TemplateValue Filter(Run run, TemplateValue value, Arguments arguments);

/// <summary>Jinja2's filters by name. Those that need luck or a web page (<c>random</c>, <c>urlize</c>, <c>xmlattr</c>, <c>pprint</c>, <c>wordwrap</c>) are not there.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, Filter> All = Build();

    public static Filter? Find(string name) => All.GetValueOrDefault(name);

    /// <summary>A string for a filter that takes text: other values are printed first.</summary>
    public static string Soft(Run run, TemplateValue value)
    {
        run.Charge(value.Size);
        var text = PythonText.Str(value);
        run.Length(text.Length);
        return text;
    }

    private static Dictionary<string, Filter> Build()
    {
        var all = new Dictionary<string, Filter>(StringComparer.Ordinal);
        TextFilters.AddTo(all);
        SequenceFilters.AddTo(all);
        Add("abs", [], (_, value, _) => value switch
        {
            FloatValue number => new FloatValue(Math.Abs(number.Value)),
            _ => Operators.TryInteger(value, out var integer) ? new IntValue(BigInteger.Abs(integer)) : throw Operators.Defined(value, $"bad operand type for abs(): '{value.TypeName}'"),
        });
        Add("attr", ["name"], (run, value, bound) => value is MapValue map && map.Find(bound[0].Text("")) is not null && bound[0].Text("") is not ("keys" or "values" or "items" or "get" or "copy")
            ? new UndefinedValue($"'dict object' has no attribute '{bound[0].Text("")}'") : Members.Get(run, value, bound[0].Text("")));
        Add("default", ["default_value?", "boolean?"], (_, value, bound) => value is UndefinedValue || (bound[1].Flag() && !value.Truth) ? bound[0] ?? TextValue.Empty : value);
        Add("int", ["default?", "base?"], (run, value, bound) => Numbers.ToInt(run, value, bound[1].Int(10)) ?? bound[0] ?? new IntValue(0));
        Add("float", ["default?"], (_, value, bound) => Numbers.ToFloat(value) is { } number ? new FloatValue(number) : bound[0] ?? new FloatValue(0));
        Add("round", ["precision?", "method?"], (_, value, bound) => Numbers.Round(value, bound[0].Int(0), bound[1].Text("common")));
        Add("filesizeformat", ["binary?"], (_, value, bound) => new TextValue(Numbers.FileSize(value, bound[0].Flag())));
        Add("string", [], (run, value, _) => value is TextValue ? value : new TextValue(Soft(run, value)));
        Add("tojson", ["ensure_ascii?", "indent?", "separators?", "sort_keys?"], (run, value, bound) => new TextValue(new JsonWriter(run, bound[0].Flag(), bound[1], bound[2], bound[3].Flag()).Write(value)));
        foreach (var (alias, name) in new[] { ("d", "default"), ("e", "escape"), ("count", "length") }) all[alias] = all[name];
        return all;

        void Add(string name, string[] parameters, Func<Run, TemplateValue, TemplateValue?[], TemplateValue> body) =>
            all[name] = (run, value, arguments) => body(run, value, arguments.Bind($"filter '{name}'", parameters));
    }
}
