using System.Globalization;
using System.Text;

namespace Deliberate.Inference.Tokenization;

/// <summary>
/// One stage of decoding. Tokens go from stage to stage in fragments, each closed by <see cref="EndToken"/>; a stage passes on
/// what later tokens cannot change any more. Decoding a whole text is the same with all tokens at once.
/// </summary>
/// <remarks>Not thread-safe: one chain a stream.</remarks>
internal abstract class DecoderStage(DecoderStage? next)
{
    protected DecoderStage Next => next!;

    /// <summary>A fragment of the present token, whole characters; each token has at least one, which may be empty.</summary>
    public abstract void Add(string fragment);

    public virtual void EndToken() => Next.EndToken();

    public virtual void Finish() => Next.Finish();

    protected void Pass(string token)
    {
        Next.Add(token);
        Next.EndToken();
    }
}

/// <summary>Where the text comes out.</summary>
internal sealed class DecoderSink() : DecoderStage(null)
{
    private readonly StringBuilder _text = new();

    public override void Add(string fragment) => _text.Append(fragment);

    public override void EndToken()
    {
    }

    public override void Finish()
    {
    }

    public string Take()
    {
        var text = _text.ToString();
        _text.Clear();
        return text;
    }
}

/// <summary>A stage that works on whole tokens.</summary>
internal abstract class WholeTokenStage(DecoderStage next) : DecoderStage(next)
{
    private readonly StringBuilder _more = new();
    private string? _token;

    public override void Add(string fragment)
    {
        if (_token is null) _token = fragment;
        else _more.Append(fragment);
    }

    public override void EndToken()
    {
        var token = _more.Length == 0 ? _token ?? "" : _token + _more;
        _token = null;
        _more.Clear();
        Decode(token);
    }

    protected abstract void Decode(string token);
}

/// <summary>A space between tokens, for files without a decoder.</summary>
internal sealed class SpacedStage(DecoderStage next) : DecoderStage(next)
{
    private bool _later;

    public override void Add(string fragment)
    {
        Next.Add(_later ? " " + fragment : fragment);
        _later = true;
    }
}

/// <summary>Bytes in the byte alphabet to text, as one token.</summary>
internal sealed class ByteLevelStage(DecoderStage next) : WholeTokenStage(next)
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private byte[] _bytes = [];
    private char[] _chars = [];

    public override void Finish()
    {
        Emit([], flush: true);
        Next.EndToken();
        Next.Finish();
    }

    protected override void Decode(string token)
    {
        if (_bytes.Length < token.Length * 3) Array.Resize(ref _bytes, token.Length * 6);
        var count = 0;
        while (count < token.Length && ByteAlphabet.TryToByte(token[count], out _bytes[count])) count++;
        if (count < token.Length) count = Encoding.UTF8.GetBytes(token, _bytes); // one letter outside the alphabet, and the token stands for itself
        Emit(_bytes.AsSpan(0, count), flush: false);
    }

    private void Emit(ReadOnlySpan<byte> bytes, bool flush)
    {
        if (_chars.Length < bytes.Length + 4) _chars = new char[bytes.Length * 2 + 4];
        Next.Add(new(_chars, 0, _utf8.GetChars(bytes, _chars, flush)));
    }
}

/// <summary>Replaces in each token.</summary>
internal sealed class ReplaceStage(DecoderStage next, Replacement replacement) : WholeTokenStage(next)
{
    public override void Add(string fragment)
    {
        if (replacement.IsLocal) Next.Add(replacement.Apply(fragment, out _));
        else base.Add(fragment);
    }

    public override void EndToken()
    {
        if (replacement.IsLocal) Next.EndToken();
        else base.EndToken();
    }

    protected override void Decode(string token) => Pass(replacement.Apply(token, out _));
}

/// <summary>Runs of tokens such as &lt;0x0A&gt; to the text of their bytes, or one U+FFFD a byte where the run is no UTF-8.</summary>
internal sealed class ByteFallbackStage(DecoderStage next) : WholeTokenStage(next)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private readonly List<byte> _run = [];

    public override void Finish()
    {
        EndRun();
        Next.Finish();
    }

    protected override void Decode(string token)
    {
        if (token is ['<', '0', 'x', var high, var low, '>'] && TryByte(high, low, out var value))
        {
            _run.Add(value);
            return;
        }

        EndRun();
        Pass(token);
    }

    // The library's integer parser takes a plus sign.
    private static bool TryByte(char high, char low, out byte value) =>
        byte.TryParse(high == '+' ? [low] : [high, low], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    private void EndRun()
    {
        if (_run.Count == 0) return;
        try
        {
            Pass(Strict.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_run)));
        }
        catch (DecoderFallbackException)
        {
            for (var i = 0; i < _run.Count; i++) Pass("\uFFFD");
        }

        _run.Clear();
    }
}

/// <summary>All tokens as one.</summary>
internal sealed class FuseStage(DecoderStage next) : DecoderStage(next)
{
    public override void Add(string fragment) => Next.Add(fragment);

    public override void EndToken()
    {
    }

    public override void Finish()
    {
        Next.Add("");
        Next.EndToken();
        Next.Finish();
    }
}

/// <summary>Takes up to so many of one character off the start and the end of each token.</summary>
internal sealed class StripStage(DecoderStage next, Rune letter, int start, int stop) : DecoderStage(next)
{
    private readonly StringBuilder _held = new();
    private int _stripped;
    private bool _begun;

    public override void Add(string fragment)
    {
        var at = 0;
        while (!_begun && at < fragment.Length)
        {
            if (_stripped < start && Rune.GetRuneAt(fragment, at) == letter) (_stripped, at) = (_stripped + 1, at + letter.Utf16SequenceLength);
            else _begun = true;
        }

        if (stop > 0) _held.Append(fragment, at, fragment.Length - at);
        else Next.Add(fragment[at..]);
    }

    public override void EndToken()
    {
        if (stop > 0)
        {
            var text = letter.ToString();
            var end = _held.ToString().AsSpan();
            for (var i = 0; i < stop && end.EndsWith(text, StringComparison.Ordinal); i++) end = end[..^text.Length];
            Next.Add(end.ToString());
            _held.Clear();
        }

        (_stripped, _begun) = (0, false);
        Next.EndToken();
    }
}

/// <summary>SentencePiece's sign to spaces; in the first token, the sign before the text to nothing.</summary>
internal sealed class SpaceMarkerStage(DecoderStage next, string sign, bool prefixed) : DecoderStage(next)
{
    private bool _later;

    public override void Add(string fragment) => Next.Add(fragment.Replace(sign, _later || !prefixed ? " " : "", StringComparison.Ordinal));

    public override void EndToken()
    {
        _later = true;
        Next.EndToken();
    }
}

/// <summary>The suffix that ends a word to a space, and to nothing in the last token.</summary>
internal sealed class WordSuffixStage(DecoderStage next, string suffix) : WholeTokenStage(next)
{
    private string? _held;

    public override void Finish()
    {
        if (_held is not null) Pass(Replace(_held, ""));
        Next.Finish();
    }

    protected override void Decode(string token)
    {
        if (_held is not null) Pass(Replace(_held, " "));
        _held = token;
    }

    private string Replace(string token, string space) => suffix.Length == 0 ? token : token.Replace(suffix, space, StringComparison.Ordinal);
}
