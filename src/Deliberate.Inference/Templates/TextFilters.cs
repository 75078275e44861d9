using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary>Filters on strings; other values are printed first, as in Jinja2.</summary>
internal static class TextFilters
{
    public static void AddTo(Dictionary<string, Filter> all)
    {
        Add("capitalize", [], (_, text, _) => text.With(PythonText.Capitalize(text.Text)));
        Add("lower", [], (_, text, _) => text.With(PythonText.Lower(text.Text)));
        Add("upper", [], (_, text, _) => text.With(PythonText.Upper(text.Text)));
        Add("title", [], (_, text, _) => new TextValue(Title(text.Text)));
        Add("trim", ["chars?"], (_, text, bound) => text.With(TextMethods.Strip(text.Text, bound[0], start: true, end: true)));
        Add("center", ["width?"], (run, text, bound) => text.With(TextMethods.Center(run, text, bound[0].Int(80), " ")));
        Add("escape", [], (run, text, _) => text.Markup ? text : Escaped(run, text));
        Add("forceescape", [], Escaped);
        Add("safe", [], (_, text, _) => new TextValue(text.Text, markup: true));
        Add("striptags", [], (_, text, _) => new TextValue(Html.StripTags(text.Text)));
        Add("wordcount", [], (_, text, _) => new IntValue(Words(text.Text)));
        Add("truncate", ["length?", "killwords?", "end?", "leeway?"], Truncate);
        Add("indent", ["width?", "first?", "blank?"], Indent);
        Add("replace", ["old", "new", "count?"], (run, text, bound) => new TextValue(TextMethods.Replace(run, text.Text,
            Filters.Soft(run, bound[0]!), Filters.Soft(run, bound[1]!), bound[2] is null or NoneValue ? -1 : bound[2].Int(-1))));
        all["urlencode"] = (run, value, arguments) => new TextValue(UrlEncode(run, value, arguments));
        all["format"] = (run, value, arguments) =>
        {
            if (arguments is { Positional.Count: > 0, Named.Count: > 0 }) throw new TemplateFault("it takes positional or named arguments, not both");
            return PercentFormat.Apply(run, Filters.Soft(run, value), arguments.Named.Count > 0 ? TemplateValue.Map(arguments.Named) : new ListValue([.. arguments.Positional], tuple: true));
        };

        void Add(string name, string[] parameters, Func<Run, TextValue, TemplateValue?[], TemplateValue> body) => all[name] = (run, value, arguments) =>
        {
            var bound = arguments.Bind($"filter '{name}'", parameters);
            if (value is not TextValue && (name == "indent" || (name == "truncate" && value is not UndefinedValue))) throw Operators.Defined(value, $"a string is needed, not {value.TypeName}");
            var text = value as TextValue ?? new(Filters.Soft(run, value));
            run.Length(text.Text.Length);
            run.Search(text.Text.Length, bound[..Math.Min(1, bound.Length)].Sum(value => (value as TextValue)?.Text.Length ?? 0));
            return body(run, text, bound);
        };
    }

    private static TextValue Escaped(Run run, TextValue text, TemplateValue?[]? bound = null)
    {
        run.Length(text.Text.Length * 5L);
        return new(Html.Escape(text.Text), markup: true);
    }

    /// <summary>Letters at the start and after one of <c>- ( { [ &lt;</c> or white space in upper case, the others in lower case.</summary>
    private static string Title(string text)
    {
        var result = new StringBuilder();
        var start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && !Parts(text[i]) && (i == start || !Parts(text[i - 1]))) continue;
            if (i < text.Length && Parts(text[i]) && i > start && Parts(text[i - 1])) continue;
            if (i > start)
            {
                var units = char.IsSurrogatePair(text, start) ? 2 : 1;
                result.Append(PythonText.Upper(text.Substring(start, units))).Append(PythonText.Lower(text[(start + units)..i]));
            }

            start = i;
        }

        return result.ToString();

        static bool Parts(char letter) => letter is '-' or '(' or '{' or '[' or '<' || PythonText.IsSpace(letter);
    }

    private static int Words(string text)
    {
        var (count, inside) = (0, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var word = Rune.IsLetterOrDigit(rune) || rune.Value == '_' || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.OtherNumber or System.Globalization.UnicodeCategory.LetterNumber;
            if (word && !inside) count++;
            inside = word;
        }

        return count;
    }

    private static TextValue Truncate(Run run, TextValue text, TemplateValue?[] bound)
    {
        var (length, end, leeway) = (bound[0].Int(255), new TextValue(bound[2].Text("...")), bound[3] is null or NoneValue ? 5 : bound[3].Int(5));
        if (length < end.Length) throw new TemplateFault($"the length must be at least {end.Length}");
        if (leeway < 0) throw new TemplateFault("the leeway must not be negative");
        if (text.Length <= (long)length + leeway) return text;
        var cut = text.Text[..text.Place(length - end.Length!.Value)];
        if (!bound[1].Flag() && cut.LastIndexOf(' ') is var space and >= 0) cut = cut[..space];
        return text.With(cut + end.Text);
    }

    private static TextValue Indent(Run run, TextValue text, TemplateValue?[] bound)
    {
        var indention = bound[0] is TextValue given ? given.Text : run.Text(bound[0].Int(4), () => new string(' ', Math.Max(0, bound[0].Int(4))));
        var (first, blank) = (bound[1].Flag(), bound[2].Flag());
        var lines = TextMethods.SplitLines(text.Text + "\n", keepEnds: false);
        run.Length(text.Text.Length + (long)lines.Count * (indention.Length + 1));
        var result = new StringBuilder();
        for (var i = 0; i < lines.Count; i++)
        {
            if (i > 0) result.Append('\n');
            if (i == 0 ? first : blank || lines[i].Length > 0) result.Append(indention);
            result.Append(lines[i]);
        }

        return text.With(result.ToString());
    }

    private static string UrlEncode(Run run, TemplateValue value, Arguments arguments)
    {
        arguments.Bind("filter 'urlencode'");
        run.Charge(value.Size);
        if (value is TextValue or not { Items: not null }) return Quote(Filters.Soft(run, value), "/");
        var pairs = (value is MapValue map ? map.Entries.Select(entry => (entry.Key, entry.Value)) : Operators.ToArray(run, value).Select(item =>
            item is ListValue { Values: [var key, var part] } ? (key, part) : throw new TemplateFault("a pair of name and value is needed"))).ToArray();
        return string.Join('&', pairs.Select(pair => Pair(pair.Item1) + "=" + Pair(pair.Item2)));

        string Pair(TemplateValue part) => Quote(Filters.Soft(run, part), "").Replace("%20", "+", StringComparison.Ordinal);

        string Quote(string text, string kept)
        {
            run.Length(text.Length * 9L);
            return string.Concat(Encoding.UTF8.GetBytes(text).Select(letter => char.IsAsciiLetterOrDigit((char)letter) || "_.-~".Contains((char)letter, StringComparison.Ordinal)
                || kept.Contains((char)letter, StringComparison.Ordinal) ? ((char)letter).ToString() : $"%{letter:X2}"));
        }
    }
}
