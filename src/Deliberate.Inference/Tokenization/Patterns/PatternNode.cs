namespace Deliberate.Inference.Tokenization.Patterns;

/// <summary>A parsed pattern.</summary>
internal abstract record PatternNode;

/// <summary>One code point of a set.</summary>
internal sealed record SetNode(CodePointSet Set) : PatternNode;

/// <summary>One code point.</summary>
internal sealed record CharNode(int Point) : PatternNode;

/// <summary>Parts one after the other.</summary>
internal sealed record SequenceNode(IReadOnlyList<PatternNode> Parts) : PatternNode;

/// <summary>The first of the choices with which the rest matches too.</summary>
internal sealed record ChoiceNode(IReadOnlyList<PatternNode> Choices) : PatternNode;

/// <summary>A part several times; <paramref name="Most"/> is <see cref="int.MaxValue"/> where there is no bound.</summary>
internal sealed record RepeatNode(PatternNode Part, int Least, int Most, bool Lazy) : PatternNode;

/// <summary>A part whose other ways to match are not tried once it has matched.</summary>
internal sealed record AtomicNode(PatternNode Part) : PatternNode;

/// <summary>A part that must match, or must not, before or after this place.</summary>
internal sealed record LookNode(PatternNode Part, bool Behind, bool Negative) : PatternNode;

/// <summary>A condition on the place alone.</summary>
internal sealed record PlaceNode(PatternPlace Place) : PatternNode;

/// <summary>Conditions on a place.</summary>
internal enum PatternPlace
{
    /// <summary>The text begins.</summary>
    Start,

    /// <summary>The text ends.</summary>
    End,

    /// <summary>The text ends, perhaps after one more line feed.</summary>
    EndOrLastLine,

    /// <summary>A line begins.</summary>
    LineStart,

    /// <summary>A line ends.</summary>
    LineEnd,

    /// <summary>Between a word character and another.</summary>
    WordBoundary,

    /// <summary>Not between a word character and another.</summary>
    NoWordBoundary,
}
