namespace Deliberate.Inference.Tokenization.Patterns;

/// <summary>What one instruction of a compiled pattern does.</summary>
internal enum PatternCode : byte
{
    /// <summary>The pattern, or the part that is looked at, has matched.</summary>
    Done,

    /// <summary>Takes the code point <c>A</c>.</summary>
    Char,

    /// <summary>Takes one of the set.</summary>
    Set,

    /// <summary>Takes <c>A</c> to <c>B</c> of the set, most first.</summary>
    Loop,

    /// <summary>As <see cref="Loop"/>, and gives none back.</summary>
    Atomic,

    /// <summary>Goes on; where that fails, at <c>A</c>. Where the next code point is not of the set, at <c>A</c> at once.</summary>
    Branch,

    /// <summary>Goes on at <c>A</c>; where that fails, here.</summary>
    LazyBranch,

    /// <summary>Goes on at <c>A</c>.</summary>
    Jump,

    /// <summary>Notes in register <c>A</c> where a round of a loop begins.</summary>
    Mark,

    /// <summary>Leaves the loop to <c>B</c> when the round begun in register <c>A</c> took nothing.</summary>
    Progress,

    /// <summary>A place of kind <c>A</c>.</summary>
    Place,

    /// <summary>What follows up to <see cref="Done"/> must match here, on its own; then on at <c>A</c>.</summary>
    Alone,

    /// <summary>What follows must match before this place, over <c>B</c> code points, or at it when <c>B</c> is 0; then on at <c>A</c>.</summary>
    Look,

    /// <summary>As <see cref="Look"/>, but must not match.</summary>
    NotLook,
}

/// <summary>One instruction.</summary>
internal readonly record struct PatternInstruction(PatternCode Code, int A = 0, int B = 0, CodePointSet? Set = null);

/// <summary>Compiles a parsed pattern for <see cref="Pattern"/>.</summary>
internal sealed class PatternProgram
{
    private const int Longest = 50_000, MostFiltered = 64;
    private readonly List<PatternInstruction> _code = [];
    private int _registers;

    public static (PatternInstruction[] Code, int Registers, CodePointSet? First) Compile(PatternNode node)
    {
        var program = new PatternProgram();
        program.Emit(node);
        program.Add(new(PatternCode.Done));
        program.ShortenEnds();
        return ([.. program._code], program._registers, First(node));
    }

    private int Add(PatternInstruction instruction)
    {
        if (_code.Count >= Longest) throw new InvalidDataException("a pattern repeats too much to be compiled.");
        _code.Add(instruction);
        return _code.Count - 1;
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case CharNode one: Add(new(PatternCode.Char, one.Point)); break;
            case SetNode one: Add(new(PatternCode.Set, Set: one.Set)); break;
            case PlaceNode place: Add(new(PatternCode.Place, (int)place.Place)); break;
            case SequenceNode sequence:
                foreach (var part in sequence.Parts) Emit(part);
                break;
            case ChoiceNode choice: EmitChoice(choice); break;
            case RepeatNode repeat: EmitRepeat(repeat); break;
            case AtomicNode { Part: RepeatNode { Lazy: false } repeat } when SetOf(repeat.Part) is { } set: Add(new(PatternCode.Atomic, repeat.Least, repeat.Most, set)); break;
            case AtomicNode atomic: EmitAlone(PatternCode.Alone, atomic.Part, 0); break;
            case LookNode { Behind: true } look: EmitBehind(look); break;
            case LookNode look: EmitAlone(look.Negative ? PatternCode.NotLook : PatternCode.Look, look.Part, 0); break;
            default: throw new InvalidOperationException();
        }
    }

    private void EmitChoice(ChoiceNode choice)
    {
        var ends = new List<int>();
        for (var i = 0; i + 1 < choice.Choices.Count; i++)
        {
            var branch = Add(default);
            Emit(choice.Choices[i]);
            ends.Add(Add(default));
            _code[branch] = new(PatternCode.Branch, _code.Count, 0, choice.Choices.Count <= MostFiltered ? First(choice.Choices[i]) : null);
        }

        Emit(choice.Choices[^1]);
        foreach (var end in ends) _code[end] = new(PatternCode.Jump, _code.Count);
    }

    private void EmitRepeat(RepeatNode repeat)
    {
        if (!repeat.Lazy && SetOf(repeat.Part) is { } set)
        {
            Add(new(PatternCode.Loop, repeat.Least, repeat.Most, set));
            return;
        }

        for (var i = 0; i < repeat.Least; i++) Emit(repeat.Part);
        var code = repeat.Lazy ? PatternCode.LazyBranch : PatternCode.Branch;
        if (repeat.Most == int.MaxValue)
        {
            // A round that takes nothing ends the loop, or it would never end.
            var register = _registers++;
            var branch = Add(default);
            Add(new(PatternCode.Mark, register));
            Emit(repeat.Part);
            var progress = Add(default);
            Add(new(PatternCode.Jump, branch));
            _code[progress] = new(PatternCode.Progress, register, _code.Count);
            EmitBranch(branch, code, _code.Count);
            return;
        }

        var branches = new List<int>();
        for (var i = repeat.Least; i < repeat.Most; i++)
        {
            branches.Add(Add(default));
            Emit(repeat.Part);
        }

        foreach (var branch in branches) EmitBranch(branch, code, _code.Count);
    }

    // A lazy branch tries the way out first.
    private void EmitBranch(int at, PatternCode code, int exit) => _code[at] = new(code, exit);

    private void EmitAlone(PatternCode code, PatternNode part, int width)
    {
        var look = Add(default);
        Emit(part);
        Add(new(PatternCode.Done));
        _code[look] = new(code, _code.Count, width);
    }

    private void EmitBehind(LookNode look)
    {
        // Choices may differ in width, each has to have one.
        if (look.Part is ChoiceNode choice)
        {
            var each = choice.Choices.Select(PatternNode (part) => look with { Part = part }).ToArray();
            Emit(look.Negative ? new SequenceNode(each) : new ChoiceNode(each));
            return;
        }

        var width = Width(look.Part) ?? throw new InvalidDataException("a pattern looks behind over a varying number of characters, which is not supported.");
        EmitAlone(look.Negative ? PatternCode.NotLook : PatternCode.Look, look.Part, width);
    }

    // A loop that nothing follows never has to give back what it took.
    private void ShortenEnds()
    {
        for (var i = 0; i < _code.Count; i++)
        {
            if (_code[i].Code != PatternCode.Loop) continue;
            var next = i + 1;
            while (_code[next].Code == PatternCode.Jump && _code[next].A > next) next = _code[next].A;
            if (_code[next].Code == PatternCode.Done) _code[i] = _code[i] with { Code = PatternCode.Atomic };
        }
    }

    private static CodePointSet? SetOf(PatternNode node) => node switch
    {
        CharNode one => new CodePointSet().Add(one.Point),
        SetNode one => one.Set,
        SequenceNode { Parts: [var only] } => SetOf(only),
        _ => null,
    };

    // How many code points the part takes; null where that varies.
    private static int? Width(PatternNode node) => node switch
    {
        CharNode or SetNode => 1,
        PlaceNode or LookNode => 0,
        AtomicNode atomic => Width(atomic.Part),
        SequenceNode sequence => sequence.Parts.Aggregate((int?)0, (sum, part) => sum + Width(part)),
        ChoiceNode choice => choice.Choices.Select(Width).Distinct().ToArray() is [var width] ? width : null,
        RepeatNode repeat => repeat.Least == repeat.Most ? repeat.Least * Width(repeat.Part) : null,
        _ => null,
    };

    // The code points that a match can begin with; null where it may take none.
    private static CodePointSet? First(PatternNode node)
    {
        switch (node)
        {
            case CharNode or SetNode: return SetOf(node);
            case AtomicNode atomic: return First(atomic.Part);
            case RepeatNode repeat: return repeat.Least > 0 ? First(repeat.Part) : null;
            case ChoiceNode choice:
                var union = new CodePointSet();
                foreach (var part in choice.Choices)
                {
                    if (First(part) is not { } first) return null;
                    union.Union(first);
                }

                return union;
            case SequenceNode sequence:
                var begun = new CodePointSet();
                foreach (var part in sequence.Parts)
                {
                    if (part is PlaceNode or LookNode) continue; // only narrows
                    if (First(part) is { } first) return begun.Union(first);
                    if (part is not RepeatNode { Least: 0 } optional || First(optional.Part) is not { } perhaps) return null;
                    begun.Union(perhaps);
                }

                return null;
            default: return null;
        }
    }
}
