using System.Globalization;
using System.Numerics;
using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary>Python's <c>str</c> and <c>repr</c> of values, and its idea of letters and white space.</summary>
internal static class PythonText
{
    /// <summary>Upper-case forms of several letters: each entry is the letter and its form (Unicode's SpecialCasing.txt).</summary>
    private static readonly Dictionary<char, string> Expanding =
        ("\u00df\u0053\u0053 \u0149\u02bc\u004e \u01f0\u004a\u030c \u0390\u0399\u0308\u0301 \u03b0\u03a5\u0308\u0301 \u0587\u0535\u0552 \u1e96\u0048\u0331 "
         + "\u1e97\u0054\u0308 \u1e98\u0057\u030a \u1e99\u0059\u030a \u1e9a\u0041\u02be \u1f50\u03a5\u0313 \u1f52\u03a5\u0313\u0300 \u1f54\u03a5\u0313\u0301 "
         + "\u1f56\u03a5\u0313\u0342 \u1f80\u1f08\u0399 \u1f81\u1f09\u0399 \u1f82\u1f0a\u0399 \u1f83\u1f0b\u0399 \u1f84\u1f0c\u0399 \u1f85\u1f0d\u0399 "
         + "\u1f86\u1f0e\u0399 \u1f87\u1f0f\u0399 \u1f88\u1f08\u0399 \u1f89\u1f09\u0399 \u1f8a\u1f0a\u0399 \u1f8b\u1f0b\u0399 \u1f8c\u1f0c\u0399 "
         + "\u1f8d\u1f0d\u0399 \u1f8e\u1f0e\u0399 \u1f8f\u1f0f\u0399 \u1f90\u1f28\u0399 \u1f91\u1f29\u0399 \u1f92\u1f2a\u0399 \u1f93\u1f2b\u0399 "
         + "\u1f94\u1f2c\u0399 \u1f95\u1f2d\u0399 \u1f96\u1f2e\u0399 \u1f97\u1f2f\u0399 \u1f98\u1f28\u0399 \u1f99\u1f29\u0399 \u1f9a\u1f2a\u0399 "
         + "\u1f9b\u1f2b\u0399 \u1f9c\u1f2c\u0399 \u1f9d\u1f2d\u0399 \u1f9e\u1f2e\u0399 \u1f9f\u1f2f\u0399 \u1fa0\u1f68\u0399 \u1fa1\u1f69\u0399 "
         + "\u1fa2\u1f6a\u0399 \u1fa3\u1f6b\u0399 \u1fa4\u1f6c\u0399 \u1fa5\u1f6d\u0399 \u1fa6\u1f6e\u0399 \u1fa7\u1f6f\u0399 \u1fa8\u1f68\u0399 "
         + "\u1fa9\u1f69\u0399 \u1faa\u1f6a\u0399 \u1fab\u1f6b\u0399 \u1fac\u1f6c\u0399 \u1fad\u1f6d\u0399 \u1fae\u1f6e\u0399 \u1faf\u1f6f\u0399 "
         + "\u1fb2\u1fba\u0399 \u1fb3\u0391\u0399 \u1fb4\u0386\u0399 \u1fb6\u0391\u0342 \u1fb7\u0391\u0342\u0399 \u1fbc\u0391\u0399 \u1fc2\u1fca\u0399 "
         + "\u1fc3\u0397\u0399 \u1fc4\u0389\u0399 \u1fc6\u0397\u0342 \u1fc7\u0397\u0342\u0399 \u1fcc\u0397\u0399 \u1fd2\u0399\u0308\u0300 "
         + "\u1fd3\u0399\u0308\u0301 \u1fd6\u0399\u0342 \u1fd7\u0399\u0308\u0342 \u1fe2\u03a5\u0308\u0300 \u1fe3\u03a5\u0308\u0301 \u1fe4\u03a1\u0313 "
         + "\u1fe6\u03a5\u0342 \u1fe7\u03a5\u0308\u0342 \u1ff2\u1ffa\u0399 \u1ff3\u03a9\u0399 \u1ff4\u038f\u0399 \u1ff6\u03a9\u0342 \u1ff7\u03a9\u0342\u0399 "
         + "\u1ffc\u03a9\u0399 \ufb00\u0046\u0046 \ufb01\u0046\u0049 \ufb02\u0046\u004c \ufb03\u0046\u0046\u0049 \ufb04\u0046\u0046\u004c \ufb05\u0053\u0054 "
         + "\ufb06\u0053\u0054 \ufb13\u0544\u0546 \ufb14\u0544\u0535 \ufb15\u0544\u053b \ufb16\u054e\u0546 \ufb17\u0544\u053d").Split(' ').ToDictionary(entry => entry[0], entry => entry[1..]);

    public static bool IsSpace(char letter) => char.IsWhiteSpace(letter) || letter is >= '\x1c' and <= '\x1f';

    public static bool IsLineBreak(char letter) => letter is '\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029';

    public static string TrimStart(string text) => text[text.TakeWhile(IsSpace).Count()..];

    public static string TrimEnd(string text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1])) end--;
        return text[..end];
    }

    public static string Upper(string text)
    {
        var upper = text.ToUpperInvariant();
        return text.AsSpan().IndexOfAnyInRange('\u00df', '\ufb17') < 0 ? upper
            : string.Concat(text.EnumerateRunes().Select(rune => rune.IsBmp && Expanding.TryGetValue((char)rune.Value, out var form) ? form : Rune.ToUpperInvariant(rune).ToString()));
    }

    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant();
        if (!text.AsSpan().ContainsAny('İ', 'Σ')) return lower;
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == 'İ') result.Append("i\u0307");
            else result.Append(text[i] == 'Σ' && i > 0 && char.IsLetter(text[i - 1]) && (i + 1 == text.Length || !char.IsLetter(text[i + 1])) ? 'ς' : lower[i]);
        }

        return result.ToString();
    }

    /// <summary>The first letter in upper case; <c>ß</c> becomes <c>Ss</c>.</summary>
    public static string Capitalize(string text)
    {
        if (text.Length == 0) return "";
        var units = char.IsSurrogatePair(text, 0) ? 2 : 1;
        var first = Upper(text[..units]);
        return (units == 1 && first.Length > 1 ? first[0] + Lower(first[1..]) : first) + Lower(text)[units..];
    }

    /// <summary>Python's <c>str</c>: what printing shows.</summary>
    public static string Str(TemplateValue value)
    {
        if (value is TextValue text) return text.Text;
        if (value is UndefinedValue) return "";
        var result = new StringBuilder();
        Repr(value, result);
        return result.ToString();
    }

    public static string Repr(TemplateValue value)
    {
        var result = new StringBuilder();
        Repr(value, result);
        return result.ToString();
    }

    private static void Repr(TemplateValue value, StringBuilder to)
    {
        switch (value)
        {
            case NoneValue: to.Append("None"); break;
            case BoolValue flag: to.Append(flag.Value ? "True" : "False"); break;
            case IntValue number: to.Append(number.Value.ToString(CultureInfo.InvariantCulture)); break;
            case FloatValue number: to.Append(Float(number.Value)); break;
            case TextValue { Markup: true } text: Quote(text.Text, to.Append("Markup(")); to.Append(')'); break;
            case TextValue text: Quote(text.Text, to); break;
            case UndefinedValue: to.Append("Undefined"); break;
            case ListValue { Tuple: true } list: Join(list.Values, to.Append('(')); to.Append(list.Values.Length == 1 ? ",)" : ")"); break;
            case ListValue list: Join(list.Values, to.Append('[')); to.Append(']'); break;
            case ViewValue view: Join(view.Items, to.Append(view.TypeName).Append("([")); to.Append("])"); break;
            case RangeValue range: to.Append(CultureInfo.InvariantCulture, $"range({range.Start}, {range.Stop}"); to.Append(range.Step.IsOne ? ")" : $", {range.Step})"); break;
            case MapValue map:
                to.Append('{');
                for (var i = 0; i < map.Entries.Count; i++)
                {
                    if (i > 0) to.Append(", ");
                    Repr(map.Entries[i].Key, to);
                    to.Append(": ");
                    Repr(map.Entries[i].Value, to);
                }

                to.Append('}');
                break;
            case ObjectValue { Printed: { } printed }: to.Append(printed); break;
            case LoopValue loop: to.Append(loop.Printed); break;
            default: throw new TemplateFault($"a {value.TypeName} cannot be printed");
        }

        if (to.Length > MaxPrinted) throw new TemplateFault($"a {value.TypeName} prints as more than {MaxPrinted} characters");
    }

    private const int MaxPrinted = 64 << 20;

    private static void Join(IEnumerable<TemplateValue> values, StringBuilder to)
    {
        var first = true;
        foreach (var value in values)
        {
            if (!first) to.Append(", ");
            first = false;
            Repr(value, to);
        }
    }

    private static void Quote(string text, StringBuilder to)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        to.Append(quote);
        for (var i = 0; i < text.Length; i++)
        {
            var letter = text[i];
            if (char.IsSurrogatePair(text, i))
            {
                if (Printable(CharUnicodeInfo.GetUnicodeCategory(text, i))) to.Append(text, i, 2);
                else to.Append(CultureInfo.InvariantCulture, $"\\U{char.ConvertToUtf32(text, i):x8}");
                i++;
            }
            else if (letter == quote || letter == '\\') to.Append('\\').Append(letter);
            else if (letter is '\n' or '\r' or '\t') to.Append(letter == '\n' ? "\\n" : letter == '\r' ? "\\r" : "\\t");
            else if (letter == ' ' || Printable(char.GetUnicodeCategory(letter))) to.Append(letter);
            else to.Append(letter <= '\xff' ? $"\\x{(int)letter:x2}" : $"\\u{(int)letter:x4}");
        }

        to.Append(quote);
    }

    public static bool Printable(UnicodeCategory category) => category is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    /// <summary>The shortest digits that give the number back; an exponent below 1e-4 and from 1e16 on.</summary>
    public static string Float(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        var shortest = value.ToString("R", CultureInfo.InvariantCulture).TrimStart('-').Split('E');
        var point = shortest[0].IndexOf('.', StringComparison.Ordinal) is var at and >= 0 ? at : shortest[0].Length;
        var digits = shortest[0].Replace(".", "", StringComparison.Ordinal);
        var leading = digits.TakeWhile(digit => digit == '0').Count();
        var exponent = point - leading - 1 + (shortest.Length > 1 ? int.Parse(shortest[1], CultureInfo.InvariantCulture) : 0);
        var sign = double.IsNegative(value) ? "-" : "";
        digits = digits[leading..].TrimEnd('0');
        if (digits.Length == 0) return sign + "0.0";
        if (exponent is < -4 or >= 16)
            return $"{sign}{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        if (exponent < 0) return sign + "0." + new string('0', -exponent - 1) + digits;
        digits = digits.PadRight(exponent + 1, '0');
        return sign + digits[..(exponent + 1)] + "." + (digits.Length > exponent + 1 ? digits[(exponent + 1)..] : "0");
    }

    /// <summary>The value with so many decimals, rounded half to even on its exact binary value, as Python and C round.</summary>
    public static string Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value)) return Float(value);
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7ff);
        var mantissa = new BigInteger((bits & 0xfffffffffffff) | (exponent == 0 ? 0 : 1L << 52));
        var power = Math.Max(exponent, 1) - 1075;
        var scaled = mantissa * BigInteger.Pow(10, decimals);
        BigInteger rounded;
        if (power >= 0) rounded = scaled << power;
        else
        {
            rounded = scaled >> -power;
            var rest = scaled - (rounded << -power);
            var half = BigInteger.One << (-power - 1);
            if (rest > half || (rest == half && !rounded.IsEven)) rounded++;
        }

        var digits = rounded.ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        return (bits < 0 ? "-" : "") + digits[..^decimals] + (decimals > 0 ? "." + digits[^decimals..] : "");
    }
}
