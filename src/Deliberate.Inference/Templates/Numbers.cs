using System.Globalization;
using System.Numerics;

namespace Deliberate.Inference.Templates;

/// <summary>Conversions between text and numbers, and rounding, as Python does them.</summary>
internal static class Numbers
{
    /// <summary>Python's <c>int</c>, else that of the float it reads as; null where neither works.</summary>
    public static TemplateValue? ToInt(Run run, TemplateValue value, int numberBase)
    {
        if (value is UndefinedValue undefined) throw undefined.Fault;
        if (Operators.TryInteger(value, out var integer)) return new IntValue(integer);
        if (value is TextValue text)
        {
            run.Charge(text.Text.Length / 16);
            if (Parse(text.Text, numberBase) is { } parsed) return new IntValue(parsed);
        }

        return ToFloat(value) is { } real && double.IsFinite(real) ? new IntValue(new BigInteger(real)) : null;
    }

    /// <summary>Python's <c>float</c>; null where it does not work.</summary>
    public static double? ToFloat(TemplateValue value)
    {
        if (value is UndefinedValue undefined) throw undefined.Fault;
        if (Operators.TryNumber(value, out var number)) return number;
        if (value is not TextValue { Text.Length: < 10_000 } text) return null;
        var trimmed = PythonText.TrimEnd(PythonText.TrimStart(text.Text));
        switch (trimmed.TrimStart('+', '-').ToLowerInvariant())
        {
            case "inf" or "infinity" when trimmed.Length - trimmed.TrimStart('+', '-').Length < 2: return trimmed[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            case "nan" when trimmed.Length < 5: return double.NaN;
        }

        for (var i = 0; i < trimmed.Length; i++)
            if (trimmed[i] == '_' && (i == 0 || i + 1 == trimmed.Length || !char.IsAsciiDigit(trimmed[i - 1]) || !char.IsAsciiDigit(trimmed[i + 1]))) return null;
        return double.TryParse(trimmed.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var real) ? real : null;
    }

    private static BigInteger? Parse(string text, int numberBase)
    {
        if (numberBase is not 0 and (< 2 or > 36)) return null;
        text = PythonText.TrimEnd(PythonText.TrimStart(text));
        var negative = text.StartsWith('-');
        if (text.StartsWith('-') || text.StartsWith('+')) text = text[1..];
        var prefix = text.Length > 1 && text[0] == '0' ? char.ToLowerInvariant(text[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (prefix != 0 && (numberBase == prefix || numberBase == 0))
        {
            (text, numberBase) = (text[2..], prefix);
            if (text.StartsWith('_')) text = text[1..];
        }
        else if (numberBase == 0)
        {
            if (text.Length > 1 && text[0] == '0' && text.AsSpan().ContainsAnyExcept('0', '_')) return null;
            numberBase = 10;
        }

        if (text.Length is 0 or > 20_000 || text[0] == '_' || text[^1] == '_' || text.Contains("__", StringComparison.Ordinal)) return null;
        var value = BigInteger.Zero;
        foreach (var letter in text)
        {
            if (letter == '_') continue;
            var digit = char.IsDigit(letter) ? (int)char.GetNumericValue(letter) : char.IsAsciiLetter(letter) ? char.ToLowerInvariant(letter) - 'a' + 10 : 99;
            if (digit >= numberBase) return null;
            value = value * numberBase + digit;
            if (value.GetBitLength() > 14285) throw new TemplateFault($"an integer has more than {IntValue.MaxDigits} digits");
        }

        return negative ? -value : value;
    }

    /// <summary>The filter <c>round</c>.</summary>
    public static TemplateValue Round(TemplateValue value, int precision, string method)
    {
        if (method is not ("common" or "ceil" or "floor")) throw new TemplateFault("the method must be common, ceil or floor");
        if (!Operators.TryNumber(value, out var number)) throw Operators.Defined(value, $"a number is needed, not {value.TypeName}");
        if (method == "common")
        {
            if (Operators.TryInteger(value, out var integer)) return new IntValue(precision >= 0 ? integer : RoundInteger(integer, precision));
            if (!double.IsFinite(number) || precision > 330) return value;
            if (precision >= 0) return new FloatValue(double.Parse(PythonText.Fixed(number, precision), CultureInfo.InvariantCulture));
            if (precision < -309) return new FloatValue(Math.CopySign(0, number));
            var unit = Math.Pow(10, -precision);
            return new FloatValue(Math.Round(number / unit, MidpointRounding.ToEven) * unit);
        }

        if (precision is < -300 or > 300) throw new TemplateFault("the precision lies outside of -300 to 300");
        var power = Math.Pow(10, precision);
        var scaled = number * power;
        if (!double.IsFinite(scaled)) throw new TemplateFault("the number is too large to be rounded");
        return new FloatValue((method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)) is var whole && whole == 0 ? 0 : whole / power);
    }

    private static BigInteger RoundInteger(BigInteger value, int precision)
    {
        if (precision < -IntValue.MaxDigits) return BigInteger.Zero;
        var unit = BigInteger.Pow(10, -precision);
        var rest = ((value % unit) + unit) % unit;
        var down = value - rest;
        return rest * 2 > unit || (rest * 2 == unit && !(down / unit).IsEven) ? down + unit : down;
    }

    /// <summary>The filter <c>filesizeformat</c>.</summary>
    public static string FileSize(TemplateValue value, bool binary)
    {
        var size = ToFloat(value) ?? throw new TemplateFault("a number is needed");
        var (unit, names) = binary ? (1024, new[] { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB" }) : (1000, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]);
        if (size == 1) return "1 Byte";
        if (size < unit) return string.Create(CultureInfo.InvariantCulture, $"{(long)size} Bytes");
        var scale = 0;
        var power = (double)unit * unit;
        for (; scale < names.Length - 1 && size >= power; scale++) power *= unit;
        return PythonText.Fixed(unit * size / power, 1) + " " + names[scale];
    }
}
