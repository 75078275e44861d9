namespace Deliberate.Inference.Tokenization;

/// <summary>
/// Decodes tokens one by one. What can still change with the tokens to come is held back, bytes of a character that is not whole
/// above all; the pieces together are the text that decoding all tokens at once gives.
/// </summary>
/// <remarks>Not thread-safe: one decoder a stream.</remarks>
public sealed class StreamingDecoder
{
    private readonly Func<int, string> _add;
    private readonly Func<string> _finish;

    internal StreamingDecoder(Func<int, string> add, Func<string> finish) => (_add, _finish) = (add, finish);

    /// <summary>The text that this token completes; may be empty.</summary>
    public string Add(int token) => _add(token);

    /// <summary>What is left at the end; a broken character becomes U+FFFD. No token may follow.</summary>
    public string Finish() => _finish();
}
