using System.Globalization;
using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary>Python's <c>text % values</c>.</summary>
internal static class PercentFormat
{
    public static TextValue Apply(Run run, string format, TemplateValue values)
    {
        var positional = values is ListValue { Tuple: true } tuple ? tuple.Values : [values];
        var map = values as MapValue;
        var (result, used, named) = (new StringBuilder(), 0, false);
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%')
            {
                result.Append(format[at]);
                continue;
            }

            TemplateValue? item = null;
            at++;
            if (at < format.Length && format[at] == '(')
            {
                var end = format.IndexOf(')', at);
                if (end < 0) throw new TemplateFault("a name in the format does not end");
                if (map is null) throw new TemplateFault("the format needs a dict");
                var key = format[(at + 1)..end];
                item = map.Find(key) ?? throw new TemplateFault($"the dict has no '{key}' that the format asks for");
                (named, at) = (true, end + 1);
            }

            var flags = "";
            while (at < format.Length && flags.Length <= 16 && "-+ #0".Contains(format[at], StringComparison.Ordinal)) flags += format[at++];
            if (flags.Length > 16) throw new TemplateFault("a '%' of the format has too many flags");
            var width = Amount() ?? 0;
            if (width < 0) (flags, width) = (flags + "-", -width);
            int? precision = null;
            if (at < format.Length && format[at] == '.')
            {
                at++;
                precision = Math.Max(0, Amount() ?? 0);
            }

            while (at < format.Length && format[at] is 'h' or 'l' or 'L') at++;
            if (at >= format.Length) throw new TemplateFault("the format ends inside of a '%'");
            if (format[at] == '%')
            {
                result.Append('%');
                continue;
            }

            var text = Convert(run, format[at], item ?? Next(), flags, precision, out var sign);
            var padding = width - new TextValue(text).Length!.Value - sign.Length;
            run.Length(result.Length + (long)text.Length + Math.Max(0, padding));
            if (flags.Contains('-', StringComparison.Ordinal)) result.Append(sign).Append(text).Append(' ', Math.Max(0, padding));
            else if (flags.Contains('0', StringComparison.Ordinal) && format[at] is not ('s' or 'r' or 'a' or 'c')) result.Append(sign).Append('0', Math.Max(0, padding)).Append(text);
            else result.Append(' ', Math.Max(0, padding)).Append(sign).Append(text);

            int? Amount()
            {
                if (at < format.Length && format[at] == '*')
                {
                    at++;
                    return Operators.Index(Next());
                }

                var start = at;
                while (at < format.Length && char.IsAsciiDigit(format[at])) at++;
                return at == start ? null : int.TryParse(format[start..at], CultureInfo.InvariantCulture, out var amount) ? amount : throw new TemplateFault("a width in the format is too large");
            }

            TemplateValue Next() => used < positional.Length ? positional[used++] : throw new TemplateFault("not enough arguments for the format");
        }

        if (!named && used < positional.Length && values is not (MapValue or ListValue { Tuple: false } or RangeValue)) throw new TemplateFault("not all arguments are used by the format");
        return new(result.ToString());
    }

    private static string Convert(Run run, char type, TemplateValue value, string flags, int? precision, out string sign)
    {
        sign = "";
        var alternate = flags.Contains('#', StringComparison.Ordinal);
        switch (type)
        {
            case 's' or 'r' or 'a':
                run.Charge(value.Size);
                var text = new TextValue(type == 's' ? PythonText.Str(value) : PythonText.Repr(value));
                if (type == 'a' && !System.Text.Ascii.IsValid(text.Text)) throw new TemplateFault("'%a' of text beyond ASCII is not supported");
                return precision < text.Length ? text.Text[..text.Place(precision.Value)] : text.Text;
            case 'c':
                if (value is TextValue { Length: 1 } letter) return letter.Text;
                return Operators.TryInteger(value, out var code) && code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? char.ConvertFromUtf32((int)code) : throw new TemplateFault("%c needs one character");
            case 'd' or 'i' or 'u' or 'o' or 'x' or 'X':
                if (!Operators.TryInteger(value, out var integer))
                {
                    if (type is 'o' or 'x' or 'X' || value is not FloatValue real || !double.IsFinite(real.Value)) throw Operators.Defined(value, $"%{type} needs an integer, not {value.TypeName}");
                    integer = new(real.Value);
                }

                sign = Sign(integer.Sign < 0) + (alternate && type is not ('d' or 'i' or 'u') ? "0" + type : "");
                run.Length(precision ?? 0);
                return NumberFormat.Integer(integer, type).PadLeft(precision ?? 0, '0');
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                if (!Operators.TryNumber(value, out var number)) throw Operators.Defined(value, $"%{type} needs a number, not {value.TypeName}");
                sign = Sign(double.IsNegative(number));
                return NumberFormat.Real(run, number, type, precision ?? 6, alternate);
            default: throw new TemplateFault($"the format has an unknown '%{(char.IsControl(type) ? '?' : type)}'");
        }

        string Sign(bool negative) => negative ? "-" : flags.Contains('+', StringComparison.Ordinal) ? "+" : flags.Contains(' ', StringComparison.Ordinal) ? " " : "";
    }
}
