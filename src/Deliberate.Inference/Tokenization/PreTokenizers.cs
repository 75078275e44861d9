using System.Runtime.InteropServices;
using Deliberate.Inference.Tokenization.Patterns;

namespace Deliberate.Inference.Tokenization;

/// <summary>A piece of a text on its way to words.</summary>
/// <param name="Text">The text it lies in.</param>
/// <param name="Start">Where it begins.</param>
/// <param name="Length">UTF-16 units.</param>
/// <param name="First">Whether it begins where the text as given begins.</param>
internal readonly record struct Piece(string Text, int Start, int Length, bool First)
{
    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);
}

/// <summary>What becomes of the matches that a text is split at.</summary>
internal enum SplitBehavior
{
    /// <summary>They are dropped.</summary>
    Removed,

    /// <summary>Each is a piece.</summary>
    Isolated,

    /// <summary>They end the piece before.</summary>
    MergedWithPrevious,

    /// <summary>They begin the piece after.</summary>
    MergedWithNext,

    /// <summary>Those that touch are one piece.</summary>
    Contiguous,
}

/// <summary>A step that changes or splits pieces.</summary>
/// <remarks>Thread-safe.</remarks>
internal abstract class PreTokenizer
{
    /// <summary>Adds what becomes of a piece to <paramref name="pieces"/>; empty pieces are not added.</summary>
    public abstract void Apply(Piece piece, List<Piece> pieces);

    protected static void Add(Piece piece, int start, int end, List<Piece> pieces)
    {
        if (end > start) pieces.Add(new(piece.Text, piece.Start + start, end - start, piece.First && start == 0));
    }
}

/// <summary>Splits at matches.</summary>
/// <param name="behavior">What becomes of them.</param>
/// <param name="invert">Whether what is no match counts as one, and the other way round.</param>
internal abstract class Splitter(SplitBehavior behavior, bool invert) : PreTokenizer
{
    [ThreadStatic]
    private static List<(int Start, int End)>? t_matches;

    [ThreadStatic]
    private static List<(int Start, int End, bool Match)>? t_parts;

    public override void Apply(Piece piece, List<Piece> pieces)
    {
        var matches = t_matches ??= [];
        matches.Clear();
        Find(piece.Span, matches);
        if (behavior == SplitBehavior.Isolated)
        {
            var done = 0;
            foreach (var (start, end) in CollectionsMarshal.AsSpan(matches))
            {
                Add(piece, done, start, pieces);
                Add(piece, start, end, pieces);
                done = end;
            }

            Add(piece, done, piece.Length, pieces);
            return;
        }

        var parts = t_parts ??= [];
        parts.Clear();
        var at = 0;
        foreach (var (start, end) in CollectionsMarshal.AsSpan(matches))
        {
            if (at < start) parts.Add((at, start, invert));
            parts.Add((start, end, !invert));
            at = end;
        }

        if (at < piece.Length) parts.Add((at, piece.Length, invert));
        Join(parts);
        foreach (var (start, end, dropped) in CollectionsMarshal.AsSpan(parts))
            if (!dropped) Add(piece, start, end, pieces);
    }

    protected abstract void Find(ReadOnlySpan<char> text, List<(int Start, int End)> matches);

    // Joins parts as the behaviour asks; the third field becomes whether the part is dropped.
    private void Join(List<(int Start, int End, bool Match)> parts)
    {
        if (behavior == SplitBehavior.Removed) return;
        var backwards = behavior == SplitBehavior.MergedWithNext;
        if (backwards) parts.Reverse();
        var (previous, written) = (false, 0);
        for (var i = 0; i < parts.Count; i++)
        {
            var (start, end, match) = parts[i];
            var joins = behavior == SplitBehavior.Contiguous ? match == previous : match && !previous;
            previous = match;
            if (!joins || written == 0) parts[written++] = (start, end, false);
            else parts[written - 1] = backwards ? (start, parts[written - 1].End, false) : (parts[written - 1].Start, end, false);
        }

        parts.RemoveRange(written, parts.Count - written);
        if (backwards) parts.Reverse();
    }
}

/// <summary>Splits at the matches of a pattern.</summary>
internal sealed class PatternSplitter(Pattern pattern, SplitBehavior behavior, bool invert = false) : Splitter(behavior, invert)
{
    protected override void Find(ReadOnlySpan<char> text, List<(int Start, int End)> matches) => pattern.Find(text, matches);
}

/// <summary>Splits at single characters of a set.</summary>
internal sealed class SetSplitter(CodePointSet set, SplitBehavior behavior) : Splitter(behavior, false)
{
    protected override void Find(ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        for (var at = 0; at < text.Length;)
        {
            var pair = char.IsHighSurrogate(text[at]) && at + 1 < text.Length;
            var end = at + (pair ? 2 : 1);
            if (set.Contains(pair ? char.ConvertToUtf32(text[at], text[at + 1]) : text[at])) matches.Add((at, end));
            at = end;
        }
    }
}

/// <summary>Puts a space before each piece that does not begin with one.</summary>
internal sealed class SpacePrefixer : PreTokenizer
{
    public override void Apply(Piece piece, List<Piece> pieces) =>
        pieces.Add(piece.Span[0] == ' ' ? piece : new(string.Concat(" ", piece.Span), 0, piece.Length + 1, piece.First));
}

/// <summary>The byte alphabet of byte-level BPE.</summary>
internal sealed class ByteMapper : PreTokenizer
{
    public override void Apply(Piece piece, List<Piece> pieces)
    {
        var mapped = ByteAlphabet.Encode(piece.Span);
        pieces.Add(new(mapped, 0, mapped.Length, piece.First));
    }
}

/// <summary>SentencePiece's way with spaces: a visible sign for each, and one before the text.</summary>
/// <param name="sign">The sign.</param>
/// <param name="always">Whether every piece gets one in front.</param>
/// <param name="first">Whether the piece with which the text begins gets one.</param>
internal sealed class SpaceMarker(string sign, bool always, bool first) : PreTokenizer
{
    public override void Apply(Piece piece, List<Piece> pieces)
    {
        var text = piece.Span.ToString().Replace(" ", sign, StringComparison.Ordinal);
        if ((always || (first && piece.First)) && !text.StartsWith(sign, StringComparison.Ordinal)) text = sign + text;
        pieces.Add(new(text, 0, text.Length, piece.First));
    }
}
