using System.Runtime.InteropServices;
using System.Text;

namespace Deliberate.Inference.Tokenization;

/// <summary>
/// A tokenizer as a published model has it. Text goes through five stages: added tokens that stand in it as written, the
/// normalizer, added tokens of the normalized text, the pre-tokenizers, and BPE for each word.
/// </summary>
internal sealed class ModelTokenizer : Tokenizer
{
    private readonly Dictionary<string, int> _ids;
    private readonly AddedTokenFinder _written, _normalized;
    private readonly Normalizer? _normalizer;
    private readonly IReadOnlyList<PreTokenizer> _preTokenizers;
    private readonly BpeModel _model;
    private readonly int[] _before, _after;
    private readonly Func<DecoderStage, DecoderStage> _decoder;
    private readonly string?[] _texts;
    private readonly bool[] _special;

    public ModelTokenizer(Dictionary<string, int> vocabulary, IReadOnlyList<AddedToken> added, Normalizer? normalizer, IReadOnlyList<PreTokenizer> preTokenizers, BpeModel model, (int[] Before, int[] After) around, Func<DecoderStage, DecoderStage> decoder)
    {
        (_normalizer, _preTokenizers, _model, _decoder, (_before, _after), Added) = (normalizer, preTokenizers, model, decoder, around, added);
        VocabSize = Math.Max(vocabulary.Values.DefaultIfEmpty(-1).Max(), added.Select(token => token.Id).DefaultIfEmpty(-1).Max()) + 1;
        _texts = new string?[VocabSize];
        foreach (var (text, id) in vocabulary) _texts[id] = text;
        _ids = new(vocabulary, StringComparer.Ordinal);
        var looked = added.Select(token => (Text: token.Normalized ? Normalize(token.Text, out _) : token.Text, Token: token)).ToArray();
        _written = new(looked.Where(entry => !entry.Token.Normalized));
        _normalized = new(looked.Where(entry => entry.Token.Normalized));
        foreach (var (text, token) in looked) _ids[token.Text] = token.Id;
        foreach (var (text, token) in looked) _texts[token.Id] = text;
        // By their text, as the library has it: a token that normalization changes is decoded in its new form, and not skipped.
        var special = added.Where(token => token.Special).Select(token => token.Text).ToHashSet(StringComparer.Ordinal);
        _special = [.. _texts.Select(text => text is not null && special.Contains(text))];
    }

    public override int VocabSize { get; }

    public override IReadOnlyList<AddedToken> Added { get; }

    public override int? FindToken(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    public override int[] Encode(string text, bool special = false, bool allowSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = WellFormed(text);
        var ids = new List<int>(text.Length / 3 + 8);
        if (special) ids.AddRange(_before);
        var parts = new List<TextPart>();
        _written.Find(text, allowSpecial, parts);
        foreach (var part in parts)
            if (part.Id >= 0) ids.Add(part.Id);
            else EncodeNormal(Slice(text, part), part.Start == 0, allowSpecial, ids);
        if (special) ids.AddRange(_after);
        return [.. ids];
    }

    public override string Decode(ReadOnlySpan<int> ids, bool skipSpecial = false)
    {
        var sink = new DecoderSink();
        var chain = _decoder(sink);
        foreach (var id in ids) Push(id, skipSpecial, chain);
        chain.Finish();
        return sink.Take();
    }

    public override StreamingDecoder StartDecoding(bool skipSpecial = false)
    {
        var sink = new DecoderSink();
        var chain = _decoder(sink);
        return new(Add, Finish);

        string Add(int id)
        {
            Push(id, skipSpecial, chain);
            return sink.Take();
        }

        string Finish()
        {
            chain.Finish();
            return sink.Take();
        }
    }

    private void Push(int id, bool skipSpecial, DecoderStage chain)
    {
        if ((uint)id >= (uint)_texts.Length || _texts[id] is not { } text || (skipSpecial && _special[id])) return;
        chain.Add(text);
        chain.EndToken();
    }

    private void EncodeNormal(string text, bool first, bool allowSpecial, List<int> ids)
    {
        text = Normalize(text, out var keepsStart);
        if (text.Length == 0) return;
        first &= keepsStart;
        var parts = new List<TextPart>();
        _normalized.Find(text, allowSpecial, parts);
        foreach (var part in parts)
            if (part.Id >= 0) ids.Add(part.Id);
            else EncodePieces(new(text, part.Start, part.End - part.Start, first && part.Start == 0), allowSpecial, ids);
    }

    private void EncodePieces(Piece text, bool allowSpecial, List<int> ids)
    {
        List<Piece> pieces = [text], next = [];
        foreach (var step in _preTokenizers)
        {
            next.Clear();
            foreach (ref readonly var piece in CollectionsMarshal.AsSpan(pieces)) step.Apply(piece, next);
            (pieces, next) = (next, pieces);
            var length = 0L;
            foreach (ref readonly var piece in CollectionsMarshal.AsSpan(pieces)) length += piece.Length;
            Replacement.CheckLength(length);
        }

        foreach (ref readonly var piece in CollectionsMarshal.AsSpan(pieces)) _model.Encode(piece.Span, allowSpecial, ids);
    }

    private string Normalize(string text, out bool keepsStart)
    {
        keepsStart = true;
        return _normalizer?.Apply(text, ref keepsStart) ?? text;
    }

    private static string Slice(string text, TextPart part) => part.Start == 0 && part.End == text.Length ? text : text[part.Start..part.End];

    private static string WellFormed(string text) => text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) : text;
}
