using System.Globalization;
using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary><c>strftime</c> in the C locale, as Python on Linux has it.</summary>
internal static class Clock
{
    private static readonly CultureInfo Names = CultureInfo.InvariantCulture;

    public static string Format(Run run, string format)
    {
        var now = run.Time.GetLocalNow();
        var result = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                result.Append(format[at]);
                continue;
            }

            at++;
            var pad = format[at] is '-' or '_' or '0' && at + 1 < format.Length ? format[at++] : ' ';
            result.Append(Directive(now, format[at], pad));
            run.Length(result.Length);
        }

        return result.ToString();
    }

    private static string Directive(DateTimeOffset now, char letter, char pad)
    {
        var hour = now.Hour % 12 == 0 ? 12 : now.Hour % 12;
        return letter switch
        {
            'Y' => now.Year.ToString(Names),
            'm' => Padded(now.Month, 2),
            'd' => Padded(now.Day, 2),
            'e' => pad == ' ' ? now.Day.ToString(Names).PadLeft(2) : Padded(now.Day, 2),
            'H' => Padded(now.Hour, 2),
            'I' => Padded(hour, 2),
            'k' => now.Hour.ToString(Names).PadLeft(2),
            'l' => hour.ToString(Names).PadLeft(2),
            'M' => Padded(now.Minute, 2),
            'S' => Padded(now.Second, 2),
            'f' => (now.Ticks % TimeSpan.TicksPerSecond / 10).ToString("000000", Names),
            'y' => Padded(now.Year % 100, 2),
            'C' => Padded(now.Year / 100, 2),
            'j' => Padded(now.DayOfYear, 3),
            'B' => now.ToString("MMMM", Names),
            'b' or 'h' => now.ToString("MMM", Names),
            'A' => now.ToString("dddd", Names),
            'a' => now.ToString("ddd", Names),
            'p' => now.Hour < 12 ? "AM" : "PM",
            'P' => now.Hour < 12 ? "am" : "pm",
            'u' => (now.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)now.DayOfWeek).ToString(Names),
            'w' => ((int)now.DayOfWeek).ToString(Names),
            'U' => Padded((now.DayOfYear + 6 - (int)now.DayOfWeek) / 7, 2),
            'W' => Padded((now.DayOfYear + 6 - ((int)now.DayOfWeek + 6) % 7) / 7, 2),
            'V' => Padded(ISOWeek.GetWeekOfYear(now.Date), 2),
            'G' => ISOWeek.GetYear(now.Date).ToString(Names),
            'D' or 'x' => now.ToString("MM'/'dd'/'yy", Names),
            'F' => now.ToString("yyyy'-'MM'-'dd", Names),
            'R' => now.ToString("HH':'mm", Names),
            'T' or 'X' => now.ToString("HH':'mm':'ss", Names),
            'r' => now.ToString("hh':'mm':'ss tt", Names),
            'c' => now.ToString("ddd MMM ", Names) + now.Day.ToString(Names).PadLeft(2) + now.ToString(" HH':'mm':'ss yyyy", Names),
            'z' or 'Z' => "", // Python's time of day without a zone prints nothing here
            'n' => "\n",
            't' => "\t",
            '%' => "%",
            _ => throw new TemplateFault($"the time format '%{(char.IsControl(letter) ? '?' : letter)}' is not supported"),
        };

        string Padded(int number, int digits) => pad == '-' ? number.ToString(Names) : number.ToString(Names).PadLeft(digits, pad == '_' ? ' ' : '0');
    }
}
