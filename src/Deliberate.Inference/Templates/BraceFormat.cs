using System.Globalization;
using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary>Python's <c>'{} {name:>5}'.format(…)</c>; members are read under the sandbox's rules.</summary>
internal static class BraceFormat
{
    public static string Apply(Run run, string format, Arguments arguments)
    {
        var automatic = 0;
        return Fields(format, 0);

        string Fields(string text, int depth)
        {
            if (depth > 2) throw new TemplateFault("replacement fields nest too deep");
            var result = new StringBuilder();
            for (var at = 0; at < text.Length; at++)
            {
                if (text[at] is '{' or '}' && at + 1 < text.Length && text[at + 1] == text[at]) result.Append(text[at++]);
                else if (text[at] == '}') throw new TemplateFault("a single '}' stands in the format");
                else if (text[at] != '{') result.Append(text[at]);
                else
                {
                    var (end, open) = (at + 1, 1);
                    for (; end < text.Length; end++)
                        if ((open += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0) == 0) break;
                    if (end == text.Length) throw new TemplateFault("a '{' of the format is not closed");
                    var field = Field(text[(at + 1)..end], depth);
                    run.Length((long)result.Length + field.Length);
                    result.Append(field);
                    at = end;
                }
            }

            return result.ToString();
        }

        string Field(string field, int depth)
        {
            var colon = field.IndexOf(':', StringComparison.Ordinal);
            var bracket = field.IndexOf('[', StringComparison.Ordinal);
            if (bracket >= 0 && bracket < colon && field.IndexOf(']', bracket) is var close and >= 0) colon = field.IndexOf(':', close);
            var (name, specification) = colon < 0 ? (field, "") : (field[..colon], Fields(field[(colon + 1)..], depth + 1));
            var mark = name.LastIndexOf('!');
            var conversion = mark >= 0 ? name[(mark + 1)..] : null;
            var value = Value(conversion is null ? name : name[..mark]);
            run.Charge(value.Size);
            if (conversion is not (null or "s" or "r")) throw new TemplateFault($"the conversion '!{conversion}' is not supported");
            if (conversion is not null) value = new TextValue(conversion == "s" ? PythonText.Str(value) : PythonText.Repr(value));
            return FormatSpecification.Apply(run, value, specification);
        }

        TemplateValue Value(string name)
        {
            var end = name.AsSpan().IndexOfAny('.', '[') is var found and >= 0 ? found : name.Length;
            var (first, rest) = (name[..end], name[end..]);
            if (first.Length == 0) first = (automatic++).ToString(CultureInfo.InvariantCulture);
            TemplateValue value = first.All(char.IsAsciiDigit)
                ? int.TryParse(first, CultureInfo.InvariantCulture, out var place) && place < arguments.Positional.Count ? arguments.Positional[place] : throw new TemplateFault($"the format asks for argument {first}, which is not there")
                : arguments.Find(first) ?? throw new TemplateFault($"the format asks for '{first}', which is not there");
            while (rest.Length > 0)
            {
                run.Charge(1);
                if (rest[0] == '.')
                {
                    end = rest.AsSpan(1).IndexOfAny('.', '[') is var next and >= 0 ? next + 1 : rest.Length;
                    value = value is MapValue ? throw new TemplateFault("members of a dict cannot be read in a format; write [key]") : Members.Get(run, value, rest[1..end]);
                }
                else
                {
                    end = rest.IndexOf(']', StringComparison.Ordinal) + 1;
                    if (rest[0] != '[' || end <= 0) throw new TemplateFault("a field of the format is malformed");
                    var key = rest[1..(end - 1)];
                    value = Members.Element(run, value, int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? new IntValue(index) : new TextValue(key));
                }

                if (value is UndefinedValue undefined) throw undefined.Fault;
                rest = rest[end..];
            }

            return value;
        }
    }
}

/// <summary>Python's format specifications: <c>[[fill]align][sign][#][0][width][,][.precision][type]</c>.</summary>
internal static class FormatSpecification
{
    public static string Apply(Run run, TemplateValue value, string specification)
    {
        if (specification.Length == 0) return PythonText.Str(value);
        var (at, fill, align) = (0, ' ', '\0');
        if (specification.Length > 1 && "<>=^".Contains(specification[1], StringComparison.Ordinal)) (fill, align, at) = (specification[0], specification[1], 2);
        else if ("<>=^".Contains(specification[0], StringComparison.Ordinal)) (align, at) = (specification[0], 1);
        var sign = Take("+- ") ?? '-';
        var alternate = Take("#") is not null;
        if (Take("0") is not null && align == '\0') (fill, align) = ('0', value is TextValue ? '<' : '=');
        var width = Amount() ?? 0;
        var separator = Take(",_");
        int? precision = Take(".") is null ? null : Amount() ?? throw new TemplateFault("the precision of the format is missing");
        var type = Take("bcdeEfFgGnosxX%") ?? '\0';
        if (at < specification.Length) throw new TemplateFault("the format specification is malformed");
        var (prefix, body) = Body(run, value, sign, alternate, separator, precision, type);
        if (align == '\0') align = value is TextValue ? '<' : '>';
        if (align == '=' && value is TextValue) throw new TemplateFault("'=' alignment is for numbers");
        var padding = Math.Max(0, width - new TextValue(prefix + body).Length!.Value);
        run.Length((long)prefix.Length + body.Length + padding);
        return align switch
        {
            '<' => prefix + body + new string(fill, padding),
            '^' => new string(fill, padding / 2) + prefix + body + new string(fill, padding - padding / 2),
            '=' => prefix + new string(fill, padding) + body,
            _ => new string(fill, padding) + prefix + body,
        };

        char? Take(string letters) => at < specification.Length && letters.Contains(specification[at], StringComparison.Ordinal) ? specification[at++] : null;

        int? Amount()
        {
            var start = at;
            while (at < specification.Length && char.IsAsciiDigit(specification[at])) at++;
            return at == start ? null : int.TryParse(specification[start..at], CultureInfo.InvariantCulture, out var amount) ? amount : throw new TemplateFault("a width of the format is too large");
        }
    }

    private static (string Prefix, string Body) Body(Run run, TemplateValue value, char sign, bool alternate, char? separator, int? precision, char type)
    {
        if (value is TextValue text)
        {
            if (type is not ('\0' or 's') || separator is not null) throw new TemplateFault($"the format '{type}' is for numbers");
            return ("", precision < text.Length ? text.Text[..text.Place(precision.Value)] : text.Text);
        }

        if (!Operators.TryNumber(value, out var number)) throw new TemplateFault($"a {value.TypeName} cannot be formatted with a specification");
        string Signed(bool negative) => negative ? "-" : sign == '-' ? "" : sign.ToString();
        if (Operators.TryInteger(value, out var integer) && type is '\0' or 'd' or 'n' or 'b' or 'o' or 'x' or 'X' or 'c')
        {
            if (precision is not null) throw new TemplateFault("an integer has no precision");
            if (value is FloatValue) throw new TemplateFault($"the format '{type}' is for integers");
            if (type == 'c') return ("", integer >= 0 && integer <= 0x10ffff && (integer < 0xd800 || integer > 0xdfff) ? char.ConvertFromUtf32((int)integer) : throw new TemplateFault("'c' needs a character code"));
            return (Signed(integer.Sign < 0) + (alternate && type is 'b' or 'o' or 'x' or 'X' ? "0" + type : ""), Grouped(NumberFormat.Integer(integer, type), separator, type is 'b' or 'o' or 'x' or 'X' ? 4 : 3));
        }

        if (type is '\0' && value is FloatValue && precision is null) return (Signed(double.IsNegative(number)), Grouped(PythonText.Float(Math.Abs(number)), separator, 3));
        if (type is '\0') throw new TemplateFault("a precision without a type is not supported for floats; write 'f', 'e' or 'g'");
        if (type is 's') throw new TemplateFault("the format 's' is for strings");
        var body = type == '%' ? NumberFormat.Real(run, number * 100, 'f', precision ?? 6, alternate) + "%" : NumberFormat.Real(run, number, type == 'n' ? 'g' : type, precision ?? 6, alternate);
        return (Signed(double.IsNegative(number)), Grouped(body, separator, 3));
    }

    private static string Grouped(string digits, char? separator, int size)
    {
        if (separator is null) return digits;
        var end = digits.TakeWhile(char.IsAsciiHexDigit).Count();
        var result = new StringBuilder(digits);
        for (var at = end - size; at > 0; at -= size) result.Insert(at, separator.Value);
        return result.ToString();
    }
}
