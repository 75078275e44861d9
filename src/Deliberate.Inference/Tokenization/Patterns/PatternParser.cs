using System.Globalization;
using System.Text;

namespace Deliberate.Inference.Tokenization.Patterns;

/// <summary>
/// Parses the regular expressions of <c>tokenizer.json</c>: Oniguruma's syntax over code points. Groups capture nothing, since
/// a tokenizer only asks where the matches lie. What is not read is refused by name.
/// </summary>
internal sealed class PatternParser
{
    private const int Longest = 20_000, Deepest = 50, MostRepeats = 1000, MostClasses = 2000;
    private readonly int[] _pattern;
    private int _at, _depth, _classes;
    private bool _ignoreCase, _dotMatchesAll;

    private PatternParser(string pattern) => _pattern = [.. pattern.EnumerateRunes().Select(rune => rune.Value)];

    private bool AtEnd => _at >= _pattern.Length;

    /// <exception cref="InvalidDataException">The pattern is no pattern, or uses what is not read.</exception>
    public static PatternNode Parse(string pattern)
    {
        if (pattern.Length > Longest) throw new InvalidDataException($"a pattern has {pattern.Length} characters; up to {Longest} are read.");
        var parser = new PatternParser(pattern);
        var node = parser.Choice();
        return parser.AtEnd ? node : throw parser.Wrong("')' without '('");
    }

    private PatternNode Choice()
    {
        if (++_depth > Deepest) throw Wrong($"more than {Deepest} groups in each other");
        var (ignoreCase, dotMatchesAll) = (_ignoreCase, _dotMatchesAll);
        List<PatternNode> choices = [Sequence()];
        while (TryTake('|')) choices.Add(Sequence());
        (_ignoreCase, _dotMatchesAll) = (ignoreCase, dotMatchesAll);
        _depth--;
        return choices.Count == 1 ? choices[0] : new ChoiceNode(choices);
    }

    private PatternNode Sequence()
    {
        List<PatternNode> parts = [];
        while (!AtEnd && _pattern[_at] is not ('|' or ')'))
            if (Atom() is { } atom) parts.Add(Quantified(atom));
        return parts.Count == 1 ? parts[0] : new SequenceNode(parts);
    }

    private PatternNode Quantified(PatternNode atom)
    {
        for (var count = 0; ; count++)
        {
            if (count > Deepest) throw Wrong("quantifier after quantifier");
            var from = _at;
            int least, most;
            if (TryTake('?')) (least, most) = (0, 1);
            else if (TryTake('*')) (least, most) = (0, int.MaxValue);
            else if (TryTake('+')) (least, most) = (1, int.MaxValue);
            else if (TryInterval(out least, out most))
            {
                // After an interval '?' is lazy only where the count may vary, and '+' is one more quantifier.
                atom = new RepeatNode(atom, least, most, least != most && TryTake('?'));
                continue;
            }
            else return atom;

            if (atom is PlaceNode) throw Wrong($"'{Text(from, _at)}' repeats nothing");
            atom = TryTake('+') ? new AtomicNode(new RepeatNode(atom, least, most, false)) : new RepeatNode(atom, least, most, TryTake('?'));
        }
    }

    private bool TryInterval(out int least, out int most)
    {
        (least, most) = (0, 0);
        var from = _at;
        if (!TryTake('{')) return false;
        var first = Number();
        var second = TryTake(',') ? Number() ?? (first is null ? null : int.MaxValue) : first;
        if (second is null || !TryTake('}'))
        {
            _at = from; // a brace that opens no interval stands for itself
            return false;
        }

        (least, most) = (first ?? 0, second.Value);
        if (least > MostRepeats || (most > MostRepeats && most != int.MaxValue)) throw Wrong($"{{{least},{most}}} repeats more than {MostRepeats} times");
        return most >= least ? true : throw Wrong($"{{{least},{most}}} has its bounds reversed");
    }

    private int? Number()
    {
        int? number = null;
        while (!AtEnd && _pattern[_at] is >= '0' and <= '9')
        {
            number = Math.Min((number ?? 0) * 10 + _pattern[_at] - '0', 1_000_000);
            _at++;
        }

        return number;
    }

    private PatternNode? Atom()
    {
        var point = _pattern[_at++];
        switch (point)
        {
            case '(': return Group();
            case '[': return new SetNode(Class());
            case '.': return new SetNode(_dotMatchesAll ? NamedSets.Of("any")! : new CodePointSet().Add('\n').Complement());
            case '^': return new PlaceNode(PatternPlace.LineStart);
            case '$': return new PlaceNode(PatternPlace.LineEnd);
            case '*' or '+' or '?': throw Wrong($"'{(char)point}' repeats nothing");
            case '\\': return Escape();
            default: return Literal(point);
        }
    }

    private PatternNode Literal(int point) =>
        _ignoreCase && CaseFolding.Equivalents.ContainsKey(point) ? new SetNode(new CodePointSet().Add(point).AddCases()) : new CharNode(point);

    private PatternNode? Group()
    {
        if (!TryTake('?')) return Closed(Choice());
        if (TryTake(':')) return Closed(Choice());
        if (TryTake('=')) return Closed(new LookNode(Choice(), false, false));
        if (TryTake('!')) return Closed(new LookNode(Choice(), false, true));
        if (TryTake('>')) return Closed(new AtomicNode(Choice()));
        if (TryTake('#'))
        {
            while (!AtEnd && _pattern[_at] != ')') _at++;
            Closed(new SequenceNode([]));
            return null;
        }

        if (TryTake('<'))
        {
            if (TryTake('=')) return Closed(new LookNode(Choice(), true, false));
            if (TryTake('!')) return Closed(new LookNode(Choice(), true, true));
            while (!AtEnd && _pattern[_at] != '>') _at++; // a name
            if (!TryTake('>')) throw Wrong("'(?<' without '>'");
            return Closed(Choice());
        }

        var (ignoreCase, dotMatchesAll, on) = (_ignoreCase, _dotMatchesAll, true);
        while (!AtEnd)
        {
            var option = _pattern[_at++];
            if (option == '-') on = false;
            else if (option == 'i') ignoreCase = on;
            else if (option == 'm') dotMatchesAll = on;
            else if (option == ')')
            {
                // Holds to the end of the group around it, over the bars in it.
                (_ignoreCase, _dotMatchesAll) = (ignoreCase, dotMatchesAll);
                return AtEnd || _pattern[_at] == ')' ? new SequenceNode([]) : Choice();
            }
            else if (option == ':')
            {
                var outside = (_ignoreCase, _dotMatchesAll);
                (_ignoreCase, _dotMatchesAll) = (ignoreCase, dotMatchesAll);
                var node = Choice();
                (_ignoreCase, _dotMatchesAll) = outside;
                return Closed(node);
            }
            else throw Wrong($"the group '(?{new Rune(option)}' is not supported");
        }

        throw Wrong("'(' without ')'");
    }

    private PatternNode Closed(PatternNode node) => TryTake(')') ? node : throw Wrong("'(' without ')'");

    private PatternNode Escape()
    {
        if (AtEnd) throw Wrong("it ends with '\\'");
        switch (_pattern[_at])
        {
            case 'A': _at++; return new PlaceNode(PatternPlace.Start);
            case 'z': _at++; return new PlaceNode(PatternPlace.End);
            case 'Z': _at++; return new PlaceNode(PatternPlace.EndOrLastLine);
            case 'b': _at++; return new PlaceNode(PatternPlace.WordBoundary);
            case 'B': _at++; return new PlaceNode(PatternPlace.NoWordBoundary);
            case 'N': _at++; return new SetNode(new CodePointSet().Add('\n').Complement());
            case 'O': _at++; return new SetNode(NamedSets.Of("any")!);
        }

        return TrySetEscape() is { } set ? new SetNode(set) : Literal(PointEscape());
    }

    // \s and its like, after the backslash; null where it is another escape.
    private CodePointSet? TrySetEscape()
    {
        var letter = _pattern[_at];
        var set = letter switch
        {
            's' or 'S' => NamedSets.Space,
            'd' or 'D' => NamedSets.Of("nd"),
            'w' or 'W' => NamedSets.Word,
            'h' or 'H' => NamedSets.Of("xdigit"),
            'p' or 'P' => Property(),
            _ => null,
        };
        if (set is null) return null;
        _at++;
        return letter is 'S' or 'D' or 'W' or 'H' ? set.Complement() : set;
    }

    // Ends on the closing brace.
    private CodePointSet Property()
    {
        var from = _at - 1;
        var negative = _pattern[_at++] == 'P';
        if (!TryTake('{')) throw Wrong("'\\p' without '{'");
        if (TryTake('^')) negative = !negative;
        var name = _at;
        while (!AtEnd && _pattern[_at] != '}') _at++;
        if (AtEnd) throw Wrong("'\\p{' without '}'");
        var set = NamedSets.Of(Text(name, _at)) ?? throw Wrong($"the property '{Text(from, _at + 1)}' is not supported; general categories are, and the scripts Han, Hiragana, Katakana and Hangul");
        return negative ? set.Complement() : set;
    }

    private int PointEscape()
    {
        var letter = _pattern[_at++];
        switch (letter)
        {
            case 't': return '\t';
            case 'n': return '\n';
            case 'r': return '\r';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'a': return '\a';
            case 'e': return 0x1B;
            case '0' when AtEnd || _pattern[_at] is < '0' or > '7': return 0;
            case 'u': return Hexadecimal(4, 4);
            case 'x':
                if (!TryTake('{')) return Hexadecimal(1, 2) is var value and < 0x80 ? value : throw Wrong("'\\x80' and above are bytes; write '\\x{80}' or '\\u0080'");
                var point = Hexadecimal(1, 8);
                return TryTake('}') ? point : throw Wrong("'\\x{' without '}'");
            case (>= '0' and <= '9') or (>= 'a' and <= 'z') or (>= 'A' and <= 'Z'): throw Wrong($"the escape '\\{(char)letter}' is not supported");
            default: return letter;
        }
    }

    private int Hexadecimal(int least, int most)
    {
        var from = _at;
        while (!AtEnd && _at - from < most && _pattern[_at] < 0x80 && char.IsAsciiHexDigit((char)_pattern[_at])) _at++;
        if (_at - from < least || !int.TryParse(Text(from, _at), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || !Rune.IsValid(value))
            throw Wrong("a hexadecimal escape is no code point");
        return value;
    }

    // After '['.
    private CodePointSet Class()
    {
        if (++_depth > Deepest) throw Wrong($"more than {Deepest} classes in each other");
        if (++_classes > MostClasses) throw Wrong($"more than {MostClasses} classes");
        var negative = TryTake('^');
        CodePointSet? intersection = null;
        var set = new CodePointSet();
        for (var first = true; ; first = false)
        {
            if (AtEnd) throw Wrong("'[' without ']'");
            if (_pattern[_at] == ']' && !first) break;
            if (Follows("&&"))
            {
                _at += 2;
                intersection = intersection is null ? set : intersection.Intersect(set);
                set = new();
                continue;
            }

            if (_pattern[_at] == '[')
            {
                set.Union(TryBracket() ?? Nested());
                continue;
            }

            if (ClassPoint() is not { } low || !TryClassRange(out var high)) continue;
            if (high < low) throw Wrong($"the range '{new Rune(low)}-{new Rune(high)}' is reversed");
            set.AddRange(low, high);

            bool TryClassRange(out int high)
            {
                high = low;
                if (AtEnd || _pattern[_at] != '-' || _at + 1 >= _pattern.Length || _pattern[_at + 1] == ']') return true;
                _at++;
                if (_pattern[_at] == '[') throw Wrong("a range ends with a class");
                high = ClassPoint() ?? throw Wrong("a range ends with a class");
                return true;
            }
        }

        _at++;
        _depth--;
        if (intersection is not null) set = intersection.Intersect(set);
        if (_ignoreCase) set.AddCases();
        return negative ? set.Complement() : set;

        CodePointSet Nested()
        {
            _at++;
            return Class();
        }

        // One code point, or null where an escape added a set.
        int? ClassPoint()
        {
            var point = _pattern[_at++];
            if (point != '\\') return point;
            if (AtEnd) throw Wrong("it ends with '\\'");
            if (_pattern[_at] == 'b')
            {
                _at++;
                return '\b';
            }

            if (TrySetEscape() is not { } escaped) return PointEscape();
            set.Union(escaped);
            return null;
        }
    }

    // [:name:], or null where this is no such bracket.
    private CodePointSet? TryBracket()
    {
        if (!Follows("[:")) return null;
        var end = _at + 2;
        while (end < _pattern.Length && (_pattern[end] == '^' || (_pattern[end] < 0x80 && char.IsAsciiLetter((char)_pattern[end])))) end++;
        if (end + 1 >= _pattern.Length || _pattern[end] != ':' || _pattern[end + 1] != ']') return null;
        var name = Text(_at + 2, end);
        var set = NamedSets.Of(name.TrimStart('^')) ?? throw Wrong($"the class '[:{name}:]' is not supported");
        _at = end + 2;
        return name.StartsWith('^') ? set.Complement() : set;
    }

    private bool TryTake(char letter)
    {
        if (AtEnd || _pattern[_at] != letter) return false;
        _at++;
        return true;
    }

    private bool Follows(string text) => _at + text.Length <= _pattern.Length && Text(_at, _at + text.Length) == text;

    private string Text(int from, int to)
    {
        var text = new StringBuilder();
        foreach (var point in _pattern.AsSpan(from, to - from)) text.Append(new Rune(point));
        return text.ToString();
    }

    private InvalidDataException Wrong(string reason) => new($"the pattern '{Text(0, Math.Min(_pattern.Length, 80))}' cannot be read at character {_at}: {reason}.");
}
