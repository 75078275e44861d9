namespace Deliberate.Inference.Tokenization;

/// <summary>Turns text into the ids of a model's vocabulary and back.</summary>
/// <remarks>Thread-safe.</remarks>
public abstract class Tokenizer
{
    private protected Tokenizer()
    {
    }

    /// <summary>One more than the highest id. A model's output may be wider; ids from there on decode to nothing.</summary>
    public abstract int VocabSize { get; }

    /// <summary>The tokens that are matched as a whole before the text is split.</summary>
    public abstract IReadOnlyList<AddedToken> Added { get; }

    /// <summary>
    /// Reads a <c>tokenizer.json</c> as the <c>tokenizers</c> library (0.23) writes it: BPE, on bytes or in SentencePiece's
    /// style. docs/tokenizers.md lists what is read.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is malformed, or asks for what is not supported. One line names the file and the field.</exception>
    public static Tokenizer Load(string path) => TokenizerReader.Read(path);

    /// <summary>The id of a token by its text, as the vocabulary writes it; null where there is none.</summary>
    public abstract int? FindToken(string token);

    /// <summary>Encodes text.</summary>
    /// <param name="text">The text; half a surrogate pair is taken for U+FFFD.</param>
    /// <param name="special">Whether the tokens that the model wants around a text (such as a begin of sequence) are added.</param>
    /// <param name="allowSpecial">
    /// Whether control tokens that are written out in the text become those tokens. Without it no text gives a token that is
    /// <see cref="AddedToken.Control"/>, whatever it holds: the way to encode what comes from outside.
    /// </param>
    /// <exception cref="InvalidDataException">A pattern of the file backtracks without end on this text.</exception>
    public abstract int[] Encode(string text, bool special = false, bool allowSpecial = true);

    /// <summary>Decodes ids; bytes that are no UTF-8 become U+FFFD, ids that the vocabulary does not have become nothing.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecial">Whether special tokens are left out.</param>
    public abstract string Decode(ReadOnlySpan<int> ids, bool skipSpecial = false);

    /// <summary>Starts a decoder for ids that arrive one by one.</summary>
    /// <param name="skipSpecial">Whether special tokens are left out.</param>
    public abstract StreamingDecoder StartDecoding(bool skipSpecial = false);
}
