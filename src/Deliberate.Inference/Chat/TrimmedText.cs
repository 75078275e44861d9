using Deliberate.Inference.Tokenization;

namespace Deliberate.Inference.Chat;

/// <summary>Decodes tokens one by one into the text that <see cref="string.Trim()"/> would leave of the whole: white space waits until something follows it.</summary>
internal sealed class TrimmedText(BpeTokenizer tokenizer)
{
    private readonly StreamingDecoder _decoder = tokenizer.StartDecoding();
    private string _waiting = "";
    private bool _started;

    /// <summary>The text that this token completes; may be empty.</summary>
    public string Add(int token) => Take(_decoder.Add(token));

    /// <summary>What is left at the end.</summary>
    public string Finish() => Take(_decoder.Finish());

    private string Take(string text)
    {
        text = _started ? _waiting + text : text.TrimStart();
        var ready = text.TrimEnd();
        _waiting = text[ready.Length..];
        _started |= ready.Length > 0;
        return ready;
    }
}
