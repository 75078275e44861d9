using System.Globalization;
using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary>The methods of Python's <c>str</c> that templates may call.</summary>
internal static class TextMethods
{
    private delegate TemplateValue Body(Run run, TextValue text, TemplateValue?[] bound);

    private static readonly Dictionary<string, (string[] Parameters, Body Body)> All = Build();

    /// <summary>The method of this string, or null.</summary>
    public static TemplateValue? Find(TextValue text, string name)
    {
        if (name == "format") return new ObjectValue("builtin_function_or_method", (run, arguments) => text.With(BraceFormat.Apply(run, text.Text, arguments)));
        return !All.TryGetValue(name, out var method) ? null : new ObjectValue("builtin_function_or_method", (run, arguments) =>
        {
            var bound = arguments.Bind($"'{name}'", method.Parameters);
            run.Search(text.Text.Length, (int)Math.Min(int.MaxValue, bound.Sum(value => value is TextValue or ListValue { Tuple: true } ? value.Size * 16L : 0)));
            return method.Body(run, text, bound);
        });
    }

    private static Dictionary<string, (string[], Body)> Build()
    {
        var all = new Dictionary<string, (string[], Body)>(StringComparer.Ordinal);
        Add("upper", [], (_, text, _) => text.With(PythonText.Upper(text.Text)));
        Add("lower", [], (_, text, _) => text.With(PythonText.Lower(text.Text)));
        Add("casefold", [], (_, text, _) => text.With(PythonText.Lower(text.Text).Replace("ß", "ss", StringComparison.Ordinal).Replace('ς', 'σ')));
        Add("capitalize", [], (_, text, _) => text.With(PythonText.Capitalize(text.Text)));
        Add("title", [], (_, text, _) => text.With(Title(text.Text)));
        Add("swapcase", [], (_, text, _) => text.With(string.Concat(text.Items.Select(item => ((TextValue)item).Text is var letter && letter == PythonText.Lower(letter) ? PythonText.Upper(letter) : PythonText.Lower(letter)))));
        Add("strip", ["chars?"], (_, text, bound) => text.With(Strip(text.Text, bound[0], start: true, end: true)));
        Add("lstrip", ["chars?"], (_, text, bound) => text.With(Strip(text.Text, bound[0], start: true, end: false)));
        Add("rstrip", ["chars?"], (_, text, bound) => text.With(Strip(text.Text, bound[0], start: false, end: true)));
        Add("removeprefix", ["prefix"], (_, text, bound) => text.With(bound[0].Text("") is var prefix && text.Text.StartsWith(prefix, StringComparison.Ordinal) ? text.Text[prefix.Length..] : text.Text));
        Add("removesuffix", ["suffix"], (_, text, bound) => text.With(bound[0].Text("") is var suffix && suffix.Length > 0 && text.Text.EndsWith(suffix, StringComparison.Ordinal) ? text.Text[..^suffix.Length] : text.Text));
        Add("startswith", ["prefix", "start?", "end?"], (_, text, bound) => BoolValue.Of(Any(bound[0]!, Range(text, bound[1], bound[2]), (whole, part) => whole.StartsWith(part, StringComparison.Ordinal))));
        Add("endswith", ["suffix", "start?", "end?"], (_, text, bound) => BoolValue.Of(Any(bound[0]!, Range(text, bound[1], bound[2]), (whole, part) => whole.EndsWith(part, StringComparison.Ordinal))));
        Add("split", ["sep?", "maxsplit?"], (run, text, bound) => Texts(run, text, bound[0] is null or NoneValue ? SplitSpaces(text.Text, bound[1].Int(-1)) : Split(run, text.Text, bound[0].Text(""), bound[1].Int(-1))));
        Add("rsplit", ["sep?", "maxsplit?"], (run, text, bound) => Texts(run, text, bound[0] is null or NoneValue ? SplitSpacesRight(text.Text, bound[1].Int(-1)) : SplitRight(run, text.Text, bound[0].Text(""), bound[1].Int(-1))));
        Add("splitlines", ["keepends?"], (run, text, bound) => Texts(run, text, SplitLines(text.Text, bound[0].Flag())));
        Add("partition", ["sep"], (_, text, bound) => Partition(text, bound[0].Text(""), text.Text.IndexOf(Separator(bound[0].Text("")), StringComparison.Ordinal), missingLast: true));
        Add("rpartition", ["sep"], (_, text, bound) => Partition(text, bound[0].Text(""), text.Text.LastIndexOf(Separator(bound[0].Text("")), StringComparison.Ordinal), missingLast: false));
        Add("replace", ["old", "new", "count?"], (run, text, bound) => text.With(Replace(run, text.Text, bound[0].Text(""), bound[1].Text(""), bound[2].Int(-1))));
        Add("join", ["iterable"], (run, text, bound) => Join(run, text, bound[0]!));
        Add("find", ["sub", "start?", "end?"], (_, text, bound) => new IntValue(Find(text, bound, last: false)));
        Add("rfind", ["sub", "start?", "end?"], (_, text, bound) => new IntValue(Find(text, bound, last: true)));
        Add("index", ["sub", "start?", "end?"], (_, text, bound) => new IntValue(Found(Find(text, bound, last: false))));
        Add("rindex", ["sub", "start?", "end?"], (_, text, bound) => new IntValue(Found(Find(text, bound, last: true))));
        Add("count", ["sub", "start?", "end?"], (_, text, bound) => new IntValue(Range(text, bound[1], bound[2]) is var whole && bound[0].Text("") is { Length: > 0 } part
            ? whole is null ? 0 : whole.AsSpan().Count(part) : whole is null ? 0 : new TextValue(whole).Length!.Value + 1));
        Add("center", ["width", "fillchar?"], (run, text, bound) => text.With(Center(run, text, bound[0].Int(0), Fill(bound[1]))));
        Add("ljust", ["width", "fillchar?"], (run, text, bound) => text.With(text.Text + Padding(run, text, bound[0].Int(0), Fill(bound[1]))));
        Add("rjust", ["width", "fillchar?"], (run, text, bound) => text.With(Padding(run, text, bound[0].Int(0), Fill(bound[1])) + text.Text));
        Add("zfill", ["width"], (run, text, bound) => text.With((text.Text.StartsWith('-') || text.Text.StartsWith('+') ? text.Text[..1] : "") is var sign ? sign + Padding(run, text, bound[0].Int(0), "0") + text.Text[sign.Length..] : ""));
        Add("expandtabs", ["tabsize?"], (run, text, bound) => text.With(ExpandTabs(run, text.Text, bound[0].Int(8))));
        AddTest("isdigit", rune => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber || rune.Value is 0xb2 or 0xb3 or 0xb9 or 0x2070 or (>= 0x2074 and <= 0x2079) or (>= 0x2080 and <= 0x2089));
        AddTest("isnumeric", rune => Rune.IsNumber(rune));
        AddTest("isalpha", Rune.IsLetter);
        AddTest("isalnum", rune => Rune.IsLetter(rune) || Rune.IsNumber(rune));
        AddTest("isspace", rune => rune.IsBmp && PythonText.IsSpace((char)rune.Value));
        AddTest("isascii", rune => rune.IsAscii, ofEmpty: true);
        AddTest("isprintable", rune => rune.Value == ' ' || PythonText.Printable(Rune.GetUnicodeCategory(rune)), ofEmpty: true);
        Add("isupper", [], (_, text, _) => BoolValue.Of(text.Text == PythonText.Upper(text.Text) && text.Text != PythonText.Lower(text.Text)));
        Add("islower", [], (_, text, _) => BoolValue.Of(text.Text == PythonText.Lower(text.Text) && text.Text != PythonText.Upper(text.Text)));
        return all;

        void Add(string name, string[] parameters, Body body) => all[name] = (parameters, body);

        void AddTest(string name, Func<Rune, bool> holds, bool ofEmpty = false) =>
            Add(name, [], (_, text, _) => BoolValue.Of(text.Text.Length == 0 ? ofEmpty : text.Text.EnumerateRunes().All(holds)));
    }

    public static string Strip(string text, TemplateValue? chars, bool start, bool end)
    {
        Func<char, bool> strips = chars is null or NoneValue ? PythonText.IsSpace : chars.Text("") is var set ? letter => set.Contains(letter, StringComparison.Ordinal) : _ => false;
        var (from, to) = (0, text.Length);
        while (start && from < to && strips(text[from])) from++;
        while (end && to > from && strips(text[to - 1])) to--;
        return text[from..to];
    }

    public static List<string> SplitSpaces(string text, int most)
    {
        var parts = new List<string>();
        for (var at = 0; ;)
        {
            while (at < text.Length && PythonText.IsSpace(text[at])) at++;
            if (at == text.Length) return parts;
            var end = at;
            if (most >= 0 && parts.Count == most) end = text.Length;
            while (end < text.Length && !PythonText.IsSpace(text[end])) end++;
            parts.Add(end == text.Length ? most >= 0 && parts.Count == most ? PythonText.TrimEnd(text[at..]) : text[at..] : text[at..end]);
            at = end;
        }
    }

    private static List<string> SplitSpacesRight(string text, int most)
    {
        var parts = new List<string>();
        for (var end = text.Length; ;)
        {
            while (end > 0 && PythonText.IsSpace(text[end - 1])) end--;
            if (end == 0) break;
            var at = most >= 0 && parts.Count == most ? 0 : end;
            while (at > 0 && !PythonText.IsSpace(text[at - 1])) at--;
            parts.Add(at == 0 ? PythonText.TrimStart(text[..end]) : text[at..end]);
            end = at;
        }

        parts.Reverse();
        return parts;
    }

    private static List<string> Split(Run run, string text, string separator, int most)
    {
        var (parts, at) = (new List<string>(), 0);
        for (Separator(separator); (most < 0 || parts.Count < most) && text.IndexOf(separator, at, StringComparison.Ordinal) is var next and >= 0; at = next + separator.Length)
        {
            run.Charge(1);
            parts.Add(text[at..next]);
        }

        parts.Add(text[at..]);
        return parts;
    }

    private static List<string> SplitRight(Run run, string text, string separator, int most)
    {
        var (parts, end) = (new List<string>(), text.Length);
        for (Separator(separator); (most < 0 || parts.Count < most) && text.AsSpan(0, end).LastIndexOf(separator) is var next and >= 0; end = next)
        {
            run.Charge(1);
            parts.Add(text[(next + separator.Length)..end]);
        }

        parts.Add(text[..end]);
        parts.Reverse();
        return parts;
    }

    public static List<string> SplitLines(string text, bool keepEnds)
    {
        var (lines, at) = (new List<string>(), 0);
        for (var i = 0; i < text.Length; i++)
        {
            if (!PythonText.IsLineBreak(text[i])) continue;
            var after = text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n' ? i + 2 : i + 1;
            lines.Add(text[at..(keepEnds ? after : i)]);
            (at, i) = (after, after - 1);
        }

        if (at < text.Length) lines.Add(text[at..]);
        return lines;
    }

    public static string Replace(Run run, string text, string old, string with, int most)
    {
        if (most == 0) return text;
        var count = old.Length > 0 ? text.AsSpan().Count(old) : new TextValue(text).Length!.Value + 1;
        if (most > 0) count = Math.Min(count, most);
        run.Length(text.Length + (long)count * (with.Length - old.Length));
        run.Charge(count);
        if (old.Length > 0 && most < 0) return text.Replace(old, with, StringComparison.Ordinal);
        var result = new StringBuilder();
        var at = 0;
        for (; count > 0; count--)
        {
            var next = old.Length > 0 ? text.IndexOf(old, at, StringComparison.Ordinal) : at;
            result.Append(text, at, next - at).Append(with);
            at = next + old.Length;
            if (old.Length > 0 || at >= text.Length) continue;
            var units = char.IsSurrogatePair(text, at) ? 2 : 1;
            result.Append(text, at, units);
            at += units;
        }

        return result.Append(text, at, text.Length - at).ToString();
    }

    public static string Center(Run run, TextValue text, int width, string fill)
    {
        var padding = Math.Max(0, width - text.Length!.Value);
        var left = padding / 2 + (padding & width & 1);
        return run.Text(text.Text.Length + padding * 2L, () => Repeat(fill, left) + text.Text + Repeat(fill, padding - left));
    }

    private static string Padding(Run run, TextValue text, int width, string fill) =>
        Math.Max(0, width - text.Length!.Value) is var padding ? run.Text(text.Text.Length + padding * 2L, () => Repeat(fill, padding)) : "";

    private static string Repeat(string fill, int times) => string.Concat(Enumerable.Repeat(fill, times));

    private static string Fill(TemplateValue? fill) => fill is null ? " " : new TextValue(fill.Text("")) is { Length: 1 } one ? one.Text : throw new TemplateFault("the fill character must be one character");

    private static string Title(string text)
    {
        var result = new StringBuilder();
        var inside = false;
        foreach (var rune in text.EnumerateRunes())
        {
            var letter = rune.ToString();
            var cased = PythonText.Upper(letter) != PythonText.Lower(letter);
            result.Append(!cased ? letter : inside ? PythonText.Lower(letter) : PythonText.Capitalize(letter));
            inside = cased;
        }

        return result.ToString();
    }

    private static ListValue Texts(Run run, TextValue text, List<string> parts)
    {
        run.Elements(parts.Count);
        run.Charge(parts.Count);
        return new([.. parts.Select(text.With)]);
    }

    private static string Separator(string separator) => separator.Length > 0 ? separator : throw new TemplateFault("the separator is empty");

    private static ListValue Partition(TextValue text, string separator, int at, bool missingLast)
    {
        string[] parts = at >= 0 ? [text.Text[..at], separator, text.Text[(at + separator.Length)..]] : missingLast ? [text.Text, "", ""] : ["", "", text.Text];
        return new([.. parts.Select(text.With)], tuple: true);
    }

    private static TextValue Join(Run run, TextValue separator, TemplateValue items)
    {
        var parts = Operators.ToArray(run, items).Select((item, place) => item is TextValue text ? text.Text : throw new TemplateFault($"element {place} is {item.TypeName}, not a string")).ToArray();
        run.Length(parts.Sum(part => (long)part.Length + separator.Text.Length));
        return separator.With(string.Join(separator.Text, parts));
    }

    /// <summary>The part of the text between these code points; null where the start lies behind the end.</summary>
    private static string? Range(TextValue text, TemplateValue? start, TemplateValue? end) =>
        Bounds(text, start, end) is var (from, to) && from <= to ? text.Text[text.Place(from)..text.Place(to)] : null;

    private static (int From, int To) Bounds(TextValue text, TemplateValue? start, TemplateValue? end)
    {
        var length = text.Length!.Value;
        var from = start is null or NoneValue ? 0 : start.Int(0);
        var to = end is null or NoneValue ? length : end.Int(length);
        if (from < 0) from = Math.Max(0, from + length);
        if (to < 0) to = Math.Max(0, to + length);
        to = Math.Min(to, length);
        return from > length ? (1, 0) : (from, to);
    }

    private static bool Any(TemplateValue parts, string? whole, Func<string, string, bool> holds) => parts is ListValue { Tuple: true } tuple
        ? tuple.Values.Any(part => part.Text("") is var text && whole is not null && holds(whole, text))
        : parts.Text("") is var one && whole is not null && holds(whole, one);

    private static int Find(TextValue text, TemplateValue?[] bound, bool last)
    {
        var part = bound[0].Text("");
        if (Range(text, bound[1], bound[2]) is not { } range) return -1;
        var at = last ? range.AsSpan().LastIndexOf(part) : range.IndexOf(part, StringComparison.Ordinal);
        return at < 0 ? -1 : Bounds(text, bound[1], bound[2]).From + new TextValue(range).Point(at);
    }

    private static int Found(int place) => place >= 0 ? place : throw new TemplateFault("substring not found");

    private static string ExpandTabs(Run run, string text, int size)
    {
        run.Length(text.Length + (long)text.AsSpan().Count('\t') * Math.Max(0, size));
        var (result, column) = (new StringBuilder(), 0);
        foreach (var letter in text)
        {
            var spaces = letter == '\t' ? size > 0 ? size - column % size : 0 : 0;
            if (letter == '\t') result.Append(' ', spaces);
            else result.Append(letter);
            column = letter is '\n' or '\r' ? 0 : column + (letter == '\t' ? spaces : char.IsLowSurrogate(letter) ? 0 : 1);
        }

        return result.ToString();
    }
}
