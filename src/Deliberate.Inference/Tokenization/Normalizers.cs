using System.Globalization;
using System.Text;
using Deliberate.Inference.Tokenization.Patterns;
using Deliberate.Inference.Tokenization.Unicode;

namespace Deliberate.Inference.Tokenization;

/// <summary>Changes a text before it is split.</summary>
/// <remarks>Thread-safe.</remarks>
internal abstract class Normalizer
{
    /// <summary>The text after the change.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="first">Whether it begins where the text as given begins; a change that drops its beginning says no.</param>
    public abstract string Apply(string text, ref bool first);
}

/// <summary>Several changes in turn.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> parts) : Normalizer
{
    public override string Apply(string text, ref bool first)
    {
        foreach (var part in parts) text = Replacement.Bounded(part.Apply(text, ref first));
        return text;
    }
}

/// <summary>NFC, NFD, NFKC or NFKD.</summary>
internal sealed class FormNormalizer(bool compatible, bool compose) : Normalizer
{
    public override string Apply(string text, ref bool first) => Normalization.Apply(text, compatible, compose);
}

/// <summary>Lower case, letter by letter.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    public override string Apply(string text, ref bool first)
    {
        var lower = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            // Letters whose lower case .NET leaves out because it leads into ASCII.
            if (rune.Value == 0x130) lower.Append("i\u0307");
            else if (rune.Value == 0x212A) lower.Append('k');
            else lower.Append(Rune.ToLowerInvariant(rune));
        return lower.ToString();
    }
}

/// <summary>Takes white space off the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override string Apply(string text, ref bool first)
    {
        if (right) text = text.TrimEnd();
        if (!left) return text;
        var stripped = text.TrimStart();
        if (stripped.Length < text.Length) first = false;
        return stripped;
    }
}

/// <summary>Drops combining marks.</summary>
internal sealed class StripAccentsNormalizer : Normalizer
{
    public override string Apply(string text, ref bool first)
    {
        if (Ascii.IsValid(text)) return text;
        var kept = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark)) kept.Append(rune);
            else if (kept.Length == 0) first = false;
        return kept.ToString();
    }
}

/// <summary>Puts a text before a text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override string Apply(string text, ref bool first) => text.Length == 0 ? text : prefix + text;
}

/// <summary>The byte alphabet of byte-level BPE.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override string Apply(string text, ref bool first) => ByteAlphabet.Encode(text);
}

/// <summary>Puts one text in the place of what a pattern matches.</summary>
internal sealed class ReplaceNormalizer(Replacement replacement) : Normalizer
{
    public override string Apply(string text, ref bool first)
    {
        var replaced = replacement.Apply(text, out var dropsStart);
        if (dropsStart) first = false;
        return replaced;
    }
}

/// <summary>What a pattern matches, and what comes in its place, as it is written.</summary>
internal sealed class Replacement(Pattern pattern, string? literal, string content)
{
    private const int Longest = 1 << 26;

    /// <summary>Whether only single UTF-16 units are replaced, so that a text may be cut anywhere.</summary>
    public bool IsLocal => literal is { Length: 1 };

    /// <summary>The text, unless steps that lengthen it have made it too long.</summary>
    /// <exception cref="InvalidDataException">They have.</exception>
    public static string Bounded(string text)
    {
        CheckLength(text.Length);
        return text;
    }

    /// <exception cref="InvalidDataException">It is longer than steps may make a text.</exception>
    public static void CheckLength(long length)
    {
        if (length > Longest) throw new InvalidDataException($"normalizers, pre-tokenizers and decoders make a text of {length} characters; up to {Longest} are supported.");
    }

    public string Apply(string text, out bool dropsStart)
    {
        if (literal is { Length: > 0 })
        {
            dropsStart = content.Length == 0 && text.StartsWith(literal, StringComparison.Ordinal);
            if (content.Length > literal.Length) CheckLength(text.Length + (long)text.AsSpan().Count(literal) * (content.Length - literal.Length));
            return text.Replace(literal, content, StringComparison.Ordinal);
        }

        var matches = new List<(int Start, int End)>();
        if (text.Length > 0) pattern.Find(text, matches); // the library finds nothing in an empty text
        dropsStart = content.Length == 0 && matches is [(0, > 0), ..];
        if (matches.Count == 0) return text;
        CheckLength(text.Length + (long)matches.Count * content.Length);
        var (replaced, done) = (new StringBuilder(text.Length), 0);
        foreach (var (start, end) in matches)
        {
            replaced.Append(text, done, start - done).Append(content);
            done = end;
        }

        return replaced.Append(text, done, text.Length - done).ToString();
    }
}
