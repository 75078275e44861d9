using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Deliberate.Inference.Tokenization.Patterns;

/// <summary>
/// A regular expression of a <c>tokenizer.json</c>, as Oniguruma understands it: over code points, by backtracking. .NET's own
/// engine sees UTF-16, where no letter beyond U+FFFF is a letter. All work is counted, so that a pattern that backtracks without
/// end fails the same way everywhere.
/// </summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class Pattern
{
    private const int Known = 64, MostWays = 8_000_000;
    private const long FreeSteps = 1_000_000, StepsPerCharacter = 1000;
    private static readonly ConcurrentDictionary<string, Pattern> Cache = new(StringComparer.Ordinal);
    [ThreadStatic]
    private static List<(int Goal, int At, int Least)>? t_ways;

    private readonly PatternInstruction[] _code;
    private readonly int _registers;
    private readonly CodePointSet? _first;
    private readonly string _text;

    private Pattern(string text, PatternNode node) => ((_code, _registers, _first), _text) = (PatternProgram.Compile(node), text);

    /// <summary>Compiles a pattern.</summary>
    /// <exception cref="InvalidDataException">The pattern is no pattern, or uses what is not supported.</exception>
    public static Pattern Parse(string text)
    {
        if (Cache.TryGetValue(text, out var known)) return known;
        var pattern = new Pattern(text, PatternParser.Parse(text));
        if (Cache.Count < Known) Cache.TryAdd(text, pattern);
        return pattern;
    }

    /// <summary>A pattern that matches this text alone.</summary>
    public static Pattern Literal(string text) => new(text, new SequenceNode([.. text.EnumerateRunes().Select(rune => new CharNode(rune.Value))]));

    /// <summary>Where the pattern matches, from left to right and without overlap. Empty matches right after another are left out.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="matches">Receives start and end of each.</param>
    /// <exception cref="InvalidDataException">The search backtracks too much.</exception>
    public void Find(ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        var search = new Search(text, _code, new int[_registers], FreeSteps + StepsPerCharacter * text.Length);
        var lastEnd = -1;
        for (var at = 0; at <= text.Length;)
        {
            var end = -1;
            if (_first is null || (at < text.Length && _first.Contains(Point(text, at, out _)))) end = search.Run(0, at);
            if (search.Exhausted) throw GivesUp(text.Length);
            if (end < 0 || (end == at && end == lastEnd))
            {
                at += at < text.Length && char.IsHighSurrogate(text[at]) ? 2 : 1;
                continue;
            }

            matches.Add((at, end));
            lastEnd = at = end;
        }
    }

    private InvalidDataException GivesUp(int length)
    {
        t_ways = null;
        return new($"the pattern '{Files.OneLine.Of(_text)}' backtracks too much on a text of {length} characters.");
    }

    private static int Point(ReadOnlySpan<char> text, int at, out int width)
    {
        var letter = text[at];
        width = 1;
        if (!char.IsHighSurrogate(letter) || at + 1 >= text.Length) return letter;
        width = 2;
        return char.ConvertToUtf32(letter, text[at + 1]);
    }

    private ref struct Search(ReadOnlySpan<char> text, PatternInstruction[] code, int[] registers, long steps)
    {
        private readonly ReadOnlySpan<char> _text = text;
        private readonly PatternInstruction[] _code = code;
        private readonly List<(int Goal, int At, int Least)> _ways = t_ways ??= []; // ways not taken yet, the latest last
        private long _steps = steps;

        public readonly bool Exhausted => _steps < 0;

        // Where a match from here ends, or -1.
        public int Run(int goal, int at)
        {
            var bottom = _ways.Count;
            while (true)
            {
                if (_ways.Count > MostWays) _steps = 0;
                if (--_steps < 0) return -1;
                ref readonly var instruction = ref _code[goal];
                var matches = true;
                switch (instruction.Code)
                {
                    case PatternCode.Done:
                        CollectionsMarshal.SetCount(_ways, bottom);
                        return at;
                    case PatternCode.Char:
                        matches = at < _text.Length && Point(_text, at, out var charWidth) == instruction.A && (at += charWidth) > 0;
                        break;
                    case PatternCode.Set:
                        matches = at < _text.Length && instruction.Set!.Contains(Point(_text, at, out var setWidth)) && (at += setWidth) > 0;
                        break;
                    case PatternCode.Loop or PatternCode.Atomic:
                        matches = Take(instruction, goal + 1, ref at);
                        break;
                    case PatternCode.Branch:
                        if (instruction.Set is { } set && (at >= _text.Length || !set.Contains(Point(_text, at, out _))))
                        {
                            goal = instruction.A;
                            continue;
                        }

                        _ways.Add((instruction.A, at, -1));
                        break;
                    case PatternCode.LazyBranch:
                        _ways.Add((goal + 1, at, -1));
                        goal = instruction.A;
                        continue;
                    case PatternCode.Jump:
                        goal = instruction.A;
                        continue;
                    case PatternCode.Mark:
                        _ways.Add((-1 - instruction.A, registers[instruction.A], -1)); // what to put back
                        registers[instruction.A] = at;
                        break;
                    case PatternCode.Progress:
                        if (registers[instruction.A] != at) break;
                        goal = instruction.B;
                        continue;
                    case PatternCode.Place:
                        matches = IsAt((PatternPlace)instruction.A, at);
                        break;
                    case PatternCode.Alone:
                        var end = Run(goal + 1, at);
                        if (Exhausted) return -1;
                        matches = end >= 0;
                        if (matches) (at, goal) = (end, instruction.A - 1);
                        break;
                    default:
                        matches = Looks(goal, at) == (instruction.Code == PatternCode.Look);
                        if (Exhausted) return -1;
                        goal = instruction.A - 1;
                        break;
                }

                if (matches) goal++;
                else if (!GoBack(bottom, ref goal, ref at)) return -1;
            }
        }

        private bool Take(in PatternInstruction loop, int next, ref int at)
        {
            var (count, from, least) = (0, at, at);
            while (count < loop.B && at < _text.Length && loop.Set!.Contains(Point(_text, at, out var width)))
            {
                at += width;
                if (++count == loop.A) least = at;
            }

            _steps -= count;
            if (count < loop.A) return false;
            if (loop.A == 0) least = from;
            if (at > least && loop.Code == PatternCode.Loop) _ways.Add((next, at, least));
            return true;
        }

        private bool Looks(int goal, int at)
        {
            for (var i = _code[goal].B; i > 0; i--)
            {
                if (at == 0) return false;
                at -= at > 1 && char.IsLowSurrogate(_text[at - 1]) ? 2 : 1;
            }

            return Run(goal + 1, at) >= 0;
        }

        private bool GoBack(int bottom, ref int goal, ref int at)
        {
            while (_ways.Count > bottom)
            {
                var way = _ways[^1];
                if (way.Goal < 0)
                {
                    registers[-1 - way.Goal] = way.At;
                    _ways.RemoveAt(_ways.Count - 1);
                    continue;
                }

                (goal, at) = (way.Goal, way.At);
                if (way.Least >= 0)
                {
                    at -= at > 1 && char.IsLowSurrogate(_text[at - 1]) ? 2 : 1;
                    if (at > way.Least)
                    {
                        _ways[^1] = (goal, at, way.Least);
                        return true;
                    }
                }

                _ways.RemoveAt(_ways.Count - 1);
                return true;
            }

            return false;
        }

        private readonly bool IsAt(PatternPlace place, int at) => place switch
        {
            PatternPlace.Start => at == 0,
            PatternPlace.End => at == _text.Length,
            PatternPlace.EndOrLastLine => at == _text.Length || (at == _text.Length - 1 && _text[at] == '\n'),
            PatternPlace.LineStart => at == 0 || (_text[at - 1] == '\n' && at < _text.Length),
            PatternPlace.LineEnd => at == _text.Length || _text[at] == '\n',
            PatternPlace.WordBoundary => IsWord(at) != IsWordBefore(at),
            _ => IsWord(at) == IsWordBefore(at),
        };

        private readonly bool IsWord(int at) => at < _text.Length && NamedSets.Word.Contains(Point(_text, at, out _));

        private readonly bool IsWordBefore(int at) => at > 0 && NamedSets.Word.Contains(Point(_text, at - (at > 1 && char.IsLowSurrogate(_text[at - 1]) ? 2 : 1), out _));
    }
}
