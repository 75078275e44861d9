using System.Globalization;
using System.Numerics;
using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary>Cuts a template into tokens as Jinja2 does with <c>trim_blocks</c> and <c>lstrip_blocks</c>.</summary>
internal sealed class Lexer(string source, string template)
{
    private static readonly string[] Operators = ["**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", "=", ".", ":", "|", ",", ";", "<", ">"];

    private readonly List<Token> _tokens = [];
    private readonly string _text = Normalize(source);
    private int _at;
    private int _line = 1;
    private bool _lineStarts = true;

    /// <summary>All tokens, the last of kind <see cref="TokenKind.End"/>.</summary>
    public List<Token> Read()
    {
        while (_at < _text.Length)
        {
            var begin = NextTag(_at);
            if (begin < 0)
            {
                Data(_text[_at..]);
                break;
            }

            var kind = _text[begin + 1];
            var sign = begin + 2 < _text.Length && _text[begin + 2] is '-' or '+' ? _text[begin + 2] : ' ';
            var raw = kind == '%' ? RawTag(begin, "raw") : -1;
            Data(Stripped(_text[_at..begin], sign, kind == '{'));
            Move(begin);
            if (kind == '#') Comment(begin);
            else if (raw >= 0) Raw(raw);
            else Tag(kind == '{', begin + (sign == ' ' ? 2 : 3));
        }

        _tokens.Add(new(TokenKind.End, "", _line));
        return _tokens;
    }

    /// <summary>One kind of line break, and the last one of the template left out.</summary>
    private static string Normalize(string source)
    {
        source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        return source.EndsWith('\n') ? source[..^1] : source;
    }

    private TemplateException Error(string construct, string reason, int? line = null) => new(template, line ?? _line, construct, reason);

    private int NextTag(int from)
    {
        for (var i = _text.IndexOf('{', from); i >= 0 && i + 1 < _text.Length; i = _text.IndexOf('{', i + 1))
            if (_text[i + 1] is '{' or '%' or '#') return i;
        return -1;
    }

    private void Data(string text)
    {
        if (text.Length > 0) _tokens.Add(new(TokenKind.Data, text, _line));
    }

    /// <summary>Goes to this place, counting lines.</summary>
    private void Move(int to)
    {
        _line += _text.AsSpan(_at, to - _at).Count('\n');
        if (to > _at) _lineStarts = _text[to - 1] == '\n';
        _at = to;
    }

    /// <summary>The text before a tag without the white space that the tag takes away.</summary>
    private string Stripped(string text, char sign, bool variable)
    {
        if (sign == '-') return PythonText.TrimEnd(text);
        if (sign == '+' || variable) return text;
        var line = text.LastIndexOf('\n') + 1;
        return (line > 0 || _lineStarts) && text.Skip(line).All(PythonText.IsSpace) ? text[..line] : text;
    }

    /// <summary>The place after the white space that the end of a tag takes away; <paramref name="end"/> is after its last brace.</summary>
    private int AfterEnd(int end, char sign, bool trimsLine)
    {
        if (sign == '-')
            while (end < _text.Length && PythonText.IsSpace(_text[end])) end++;
        else if (sign != '+' && trimsLine && end < _text.Length && _text[end] == '\n') end++;
        return end;
    }

    private void Comment(int begin)
    {
        var from = begin + 2;
        if (from < _text.Length && _text[from] is '-' or '+') from++;
        var end = _text.IndexOf("#}", from, StringComparison.Ordinal);
        if (end < 0) throw Error("comment", "its end '#}' is missing");
        Move(AfterEnd(end + 2, end > from ? _text[end - 1] : ' ', trimsLine: true));
    }

    /// <summary>The place after <c>{% word %}</c> that begins here, or -1; white space after <c>-%}</c> is included.</summary>
    private int RawTag(int begin, string word)
    {
        var at = begin + 2;
        if (at < _text.Length && _text[at] is '-' or '+') at++;
        while (at < _text.Length && PythonText.IsSpace(_text[at])) at++;
        if (string.CompareOrdinal(_text, at, word, 0, word.Length) != 0) return -1;
        at += word.Length;
        while (at < _text.Length && PythonText.IsSpace(_text[at])) at++;
        var sign = at < _text.Length && (_text[at] == '-' || (_text[at] == '+' && word == "endraw")) ? _text[at++] : ' ';
        if (string.CompareOrdinal(_text, at, "%}", 0, 2) != 0) return -1;
        return AfterEnd(at + 2, sign, trimsLine: word == "endraw");
    }

    private void Raw(int from)
    {
        var line = _line;
        Move(from);
        for (var end = _text.IndexOf("{%", from, StringComparison.Ordinal); end >= 0; end = _text.IndexOf("{%", end + 2, StringComparison.Ordinal))
        {
            if (RawTag(end, "endraw") is var after and >= 0)
            {
                var sign = _text[end + 2] is '-' or '+' ? _text[end + 2] : ' ';
                Data(Stripped(_text[from..end], sign, variable: false));
                Move(after);
                return;
            }
        }

        throw Error("raw", "its end '{% endraw %}' is missing", line);
    }

    private void Tag(bool variable, int from)
    {
        var opened = _line;
        _tokens.Add(new(variable ? TokenKind.VariableBegin : TokenKind.BlockBegin, variable ? "{{" : "{%", _line));
        Move(from);
        var brackets = new Stack<char>();
        var close = variable ? "}}" : "%}";
        while (true)
        {
            while (_at < _text.Length && PythonText.IsSpace(_text[_at])) Move(_at + 1);
            if (_at >= _text.Length) return;
            var letter = _text[_at];
            if (brackets.Count == 0)
            {
                var sign = letter == '-' || (letter == '+' && !variable) ? letter : ' ';
                var end = sign == ' ' ? _at : _at + 1;
                if (string.CompareOrdinal(_text, end, close, 0, 2) == 0)
                {
                    _tokens.Add(new(variable ? TokenKind.VariableEnd : TokenKind.BlockEnd, close, _line));
                    Move(AfterEnd(end + 2, sign, trimsLine: !variable));
                    return;
                }
            }

            if (char.IsAsciiDigit(letter)) Number();
            else if (letter == '_' || char.IsLetter(letter)) Name();
            else if (letter is '"' or '\'') Text(letter);
            else Symbol(brackets, opened);
        }
    }

    private void Name()
    {
        var end = _at;
        while (end < _text.Length && (_text[end] == '_' || char.IsLetterOrDigit(_text[end]) || char.GetUnicodeCategory(_text[end]) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark)) end++;
        if (end - _at > 255) throw Error("name", "it has more than 255 characters");
        _tokens.Add(new(TokenKind.Name, _text[_at..end], _line));
        Move(end);
    }

    private void Symbol(Stack<char> brackets, int opened)
    {
        foreach (var symbol in Operators)
        {
            if (string.CompareOrdinal(_text, _at, symbol, 0, symbol.Length) != 0) continue;
            if (symbol is "(" or "[" or "{") brackets.Push(symbol == "(" ? ')' : symbol == "[" ? ']' : '}');
            else if (symbol is ")" or "]" or "}")
            {
                if (brackets.Count == 0) throw Error(symbol, $"unexpected '{symbol}'");
                if (brackets.Pop() is var expected && expected != symbol[0]) throw Error(symbol, $"unexpected '{symbol}', expected '{expected}'");
            }

            _tokens.Add(new(TokenKind.Operator, symbol, _line));
            Move(_at + symbol.Length);
            return;
        }

        throw Error($"the tag of line {opened}", $"unexpected character '{(char.IsControl(_text[_at]) ? $"U+{(int)_text[_at]:X4}" : _text[_at].ToString())}'");
    }

    private void Number()
    {
        var start = _at;
        var prefix = _text[_at] == '0' && _at + 1 < _text.Length ? char.ToLowerInvariant(_text[_at + 1]) : ' ';
        var numberBase = prefix switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 10 };
        if (numberBase != 10 && Digits(_at + 2, numberBase, leadingUnderscore: true) is var last && last > _at + 2)
        {
            var value = _text[(_at + 2)..last].Where(digit => digit != '_').Aggregate(BigInteger.Zero, (sum, digit) => Bounded(sum * numberBase + Convert.ToInt32(digit.ToString(), 16)));
            Add(last, new IntValue(value));
            return;
        }

        var end = Digits(_at, 10);
        var real = end;
        if (end + 1 < _text.Length && _text[end] == '.' && char.IsAsciiDigit(_text[end + 1])) real = Digits(end + 1, 10);
        if (real < _text.Length && _text[real] is 'e' or 'E')
        {
            var exponent = real + 1 < _text.Length && _text[real + 1] is '+' or '-' ? real + 2 : real + 1;
            if (exponent < _text.Length && char.IsAsciiDigit(_text[exponent])) real = Digits(exponent, 10);
        }

        if (real > end && (start == 0 || _text[start - 1] != '.'))
        {
            Add(real, new FloatValue(double.Parse(_text[start..real].Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)));
            return;
        }

        // As in Python, a leading zero is an integer of its own, unless only zeros follow.
        if (_text[start] == '0' && _text.AsSpan(start, end - start).IndexOfAnyExcept('0', '_') is var zeros and > 0) end = start + zeros;
        if (_text[end - 1] == '_') end--;
        var digits = _text[start..end].Replace("_", "", StringComparison.Ordinal);
        if (digits.Length > IntValue.MaxDigits) throw Error("number", $"it has more than {IntValue.MaxDigits} digits");
        Add(end, new IntValue(BigInteger.Parse(digits, CultureInfo.InvariantCulture)));

        BigInteger Bounded(BigInteger value) => value.GetBitLength() <= 14285 ? value : throw Error("number", $"it has more than {IntValue.MaxDigits} digits");

        void Add(int to, TemplateValue value)
        {
            _tokens.Add(new(TokenKind.Number, _text[start..to], _line, value));
            Move(to);
        }
    }

    /// <summary>The end of digits that single underscores may separate.</summary>
    private int Digits(int at, int numberBase, bool leadingUnderscore = false)
    {
        var end = at;
        while (end < _text.Length)
        {
            var next = _text[end] == '_' && (end > at || leadingUnderscore) ? end + 1 : end;
            if (next >= _text.Length || !char.IsAsciiHexDigit(_text[next]) || Convert.ToInt32(_text[next].ToString(), 16) >= numberBase) break;
            end = next + 1;
        }

        return end;
    }

    private void Text(char quote)
    {
        var (result, line, at) = (new StringBuilder(), _line, _at + 1);
        while (at < _text.Length && _text[at] != quote)
        {
            if (_text[at] != '\\' || at + 1 >= _text.Length) result.Append(_text[at++]);
            else at = Escape(at + 1, result);
        }

        if (at >= _text.Length) throw Error("string", "its closing quote is missing", line);
        _tokens.Add(new(TokenKind.Text, result.ToString(), line));
        Move(at + 1);
    }

    /// <summary>Appends what the escape means whose letter, after the backslash, stands at this place; gives the place after it.</summary>
    private int Escape(int at, StringBuilder to)
    {
        var letter = _text[at];
        switch (letter)
        {
            case '\n': return at + 1;
            case '\\' or '\'' or '"': to.Append(letter); return at + 1;
            case 'n' or 't' or 'r' or 'a' or 'b' or 'f' or 'v': to.Append("\n\t\r\a\b\f\v"["ntrabfv".IndexOf(letter, StringComparison.Ordinal)]); return at + 1;
            case >= '0' and <= '7':
                var end = at;
                while (end < at + 3 && end < _text.Length && _text[end] is >= '0' and <= '7') end++;
                to.Append((char)Convert.ToInt32(_text[at..end], 8));
                return end;
            case 'x' or 'u' or 'U':
                var digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
                if (at + digits >= _text.Length || !_text.AsSpan(at + 1, digits).ToString().All(char.IsAsciiHexDigit) || Convert.ToUInt32(_text.Substring(at + 1, digits), 16) is var code && code > 0x10ffff)
                    throw Error("string", $"the escape '\\{letter}' needs {digits} hexadecimal digits of a character");
                to.Append(code > 0xffff ? char.ConvertFromUtf32((int)code) : ((char)code).ToString());
                return at + 1 + digits;
            case 'N': throw Error("string", "the escape '\\N{name}' is not supported");
            default:
                to.Append('\\');
                if (letter < 0x80) to.Append(letter);
                else
                {
                    // Jinja2 turns letters beyond ASCII into escapes first, whose backslash is then the escaped one.
                    var rune = Rune.TryGetRuneAt(_text, at, out var whole) ? whole.Value : letter;
                    to.Append(rune <= 0xff ? $"x{rune:x2}" : rune <= 0xffff ? $"u{rune:x4}" : $"U{rune:x8}");
                    if (rune > 0xffff) return at + 2;
                }

                return at + 1;
        }
    }
}
