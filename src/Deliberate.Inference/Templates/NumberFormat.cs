using System.Globalization;
using System.Numerics;

namespace Deliberate.Inference.Templates;

/// <summary>Digits of numbers for <c>%</c> and <c>format</c>.</summary>
internal static class NumberFormat
{
    /// <summary>An integer's digits without sign, in the base of <c>d o x X b</c>.</summary>
    public static string Integer(BigInteger value, char type)
    {
        value = BigInteger.Abs(value);
        if (type is not ('o' or 'x' or 'X' or 'b')) return value.ToString(CultureInfo.InvariantCulture);
        var numberBase = type == 'o' ? 8 : type == 'b' ? 2 : 16;
        var digits = new List<char>();
        do
        {
            digits.Add("0123456789abcdef"[(int)(value % numberBase)]);
            value /= numberBase;
        }
        while (!value.IsZero);
        digits.Reverse();
        return type == 'X' ? string.Concat(digits).ToUpperInvariant() : string.Concat(digits);
    }

    /// <summary>A float without sign as <c>e f g</c> (or their capitals) show it.</summary>
    public static string Real(Run run, double value, char type, int precision, bool alternate)
    {
        value = Math.Abs(value);
        var capital = char.IsAsciiLetterUpper(type);
        if (!double.IsFinite(value)) return capital ? PythonText.Float(value).ToUpperInvariant() : PythonText.Float(value);
        run.Length(precision + 330L);
        run.Charge(200);
        if (precision > 10_000) throw new TemplateFault("a precision of more than 10000 digits is not supported");
        var text = char.ToLowerInvariant(type) switch
        {
            'f' => PythonText.Fixed(value, precision) + (alternate && precision == 0 ? "." : ""),
            'e' => Exponent(value, precision, alternate),
            _ => General(value, Math.Max(precision, 1), alternate),
        };
        return capital ? text.ToUpperInvariant() : text;
    }

    private static string Exponent(double value, int precision, bool alternate)
    {
        var (digits, exponent) = Digits(value, precision + 1);
        return digits[..1] + (precision > 0 ? "." + digits[1..] : alternate ? "." : "") + Power(exponent);
    }

    private static string General(double value, int precision, bool alternate)
    {
        var (digits, exponent) = Digits(value, precision);
        if (exponent < -4 || exponent >= precision)
        {
            var mantissa = digits[..1] + (digits.Length > 1 ? "." + digits[1..] : "");
            return (alternate ? mantissa : Trimmed(mantissa)) + Power(exponent);
        }

        var text = PythonText.Fixed(value, Math.Max(0, precision - 1 - exponent));
        return alternate ? text : Trimmed(text);
    }

    private static string Trimmed(string text) => text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;

    private static string Power(int exponent) => string.Create(CultureInfo.InvariantCulture, $"e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");

    /// <summary>So many significant digits, rounded half to even on the exact value, and the power of ten of the first.</summary>
    private static (string Digits, int Exponent) Digits(double value, int count)
    {
        if (value == 0) return (new string('0', count), 0);
        var exact = PythonText.Fixed(value, 1074).Replace(".", "", StringComparison.Ordinal);
        var first = exact.AsSpan().IndexOfAnyExcept('0');
        var exponent = exact.Length - 1074 - 1 - first;
        var digits = exact[first..].TrimEnd('0');
        if (digits.Length <= count) return (digits.PadRight(count, '0'), exponent);
        var kept = BigInteger.Parse(digits[..count], CultureInfo.InvariantCulture);
        var rest = digits[count..];
        if (rest[0] > '5' || (rest[0] == '5' && (rest.Length > 1 || !kept.IsEven))) kept++;
        var text = kept.ToString(CultureInfo.InvariantCulture);
        return text.Length > count ? (text[..count], exponent + 1) : (text, exponent);
    }
}
