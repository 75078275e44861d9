using System.Text;

namespace Deliberate.Inference.Tokenization;

/// <summary>Decodes tokens one by one and holds bytes back until they are whole UTF-8 characters.</summary>
/// <remarks>Not thread-safe: one decoder a stream.</remarks>
public sealed class StreamingDecoder
{
    private readonly BpeTokenizer _tokenizer;
    private readonly bool _skipSpecial;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private readonly List<byte> _bytes = [];

    internal StreamingDecoder(BpeTokenizer tokenizer, bool skipSpecial) => (_tokenizer, _skipSpecial) = (tokenizer, skipSpecial);

    /// <summary>The text that this token completes; may be empty.</summary>
    public string Add(int token)
    {
        _bytes.Clear();
        _tokenizer.AppendBytes(token, _skipSpecial, _bytes);
        return Take(flush: false);
    }

    /// <summary>What is left at the end; a broken character becomes U+FFFD.</summary>
    public string Finish()
    {
        _bytes.Clear();
        return Take(flush: true);
    }

    private string Take(bool flush)
    {
        var bytes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bytes);
        var chars = new char[bytes.Length + 4];
        return new string(chars, 0, _utf8.GetChars(bytes, chars, flush));
    }
}
