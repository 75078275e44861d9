using System.Text.Json;
using Deliberate.Inference.Tokenization;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public class TokenizerPartsTests
{
    [Theory]
    [InlineData("Removed", false, "the|final|countdown")]
    [InlineData("Isolated", false, "the|-|final|-|-|countdown")]
    [InlineData("MergedWithPrevious", false, "the-|final-|-|countdown")]
    [InlineData("MergedWithNext", false, "the|-final|-|-countdown")]
    [InlineData("Contiguous", false, "the|-|final|--|countdown")]
    [InlineData("Removed", true, "-|-|-")]
    [InlineData("Isolated", true, "the|-|final|-|-|countdown")]
    public void Splits_behave_as_named(string behavior, bool invert, string expected) =>
        Assert.Equal(expected, Split("the-final--countdown", $$"""{"type": "Split", "pattern": {"String": "-"}, "behavior": "{{behavior}}", "invert": {{(invert ? "true" : "false")}}}"""));

    [Theory]
    [InlineData("""{"type": "Digits", "individual_digits": true}""", "a12b½", "a|1|2|b|½")]
    [InlineData("""{"type": "Digits", "individual_digits": false}""", "a12b", "a|12|b")]
    [InlineData("""{"type": "Punctuation"}""", "a,$b", "a|,|$|b")]
    [InlineData("""{"type": "Punctuation", "behavior": "Removed"}""", "a,$b", "a|b")]
    [InlineData("""{"type": "Whitespace"}""", "a_1 b.. c", "a_1|b|..|c")]
    [InlineData("""{"type": "WhitespaceSplit"}""", " a\u00A0b. ", "a|b.")]
    [InlineData("""{"type": "BertPreTokenizer"}""", "a b.c", "a|b|.|c")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁"}""", "a b  c", "▁a|▁b|▁|▁c")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "add_prefix_space": true, "str_rep": "▁"}""", " a", "▁a")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": false}""", "a b", "a▁b")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "add_prefix_space": false}""", "a b", "a|▁b")]
    [InlineData("""{"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"}]}""", "a b", "▁a|b")]
    [InlineData("""{"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}]}""", "a b", "▁a|▁b")]
    [InlineData("""{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true}""", "é b", "ĠÃ©|Ġb")]
    [InlineData("""{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}""", "a b", "aĠb")]
    public void Pre_tokenizers_make_the_pieces_of_the_library(string json, string text, string expected) => Assert.Equal(expected, Split(text, json));

    [Theory]
    [InlineData("""{"type": "Lowercase"}""", "ÀİB", "ài\u0307b")]
    [InlineData("""{"type": "StripAccents"}""", "e\u0301", "e")]
    [InlineData("""{"type": "Strip", "strip_left": true, "strip_right": false}""", " a ", "a ")]
    [InlineData("""{"type": "Prepend", "prepend": "▁"}""", "a", "▁a")]
    [InlineData("""{"type": "Prepend", "prepend": "▁"}""", "", "")]
    [InlineData("""{"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "$0"}""", "a   b", "a$0b")]
    [InlineData("""{"type": "Replace", "pattern": {"String": "."}, "content": "!"}""", "a.b", "a!b")]
    [InlineData("""{"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]}""", "é", "e")]
    [InlineData("""{"type": "ByteLevel"}""", "é", "Ã©")]
    public void Normalizers_change_the_text_as_the_library_does(string json, string text, string expected)
    {
        var first = true;
        Assert.Equal(expected, TokenizerParts.Normalizer(Of(json)).Apply(text, ref first));
    }

    [Theory]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}""", "▁a|▁b", "a b")]
    [InlineData("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"}""", "▁a|▁b", " a b")]
    [InlineData("""{"type": "BPEDecoder", "suffix": "</w>"}""", "a</w>|b</w>", "a b")]
    [InlineData("""{"type": "ByteFallback"}""", "<0xE2>|<0x82>|<0xAC>|a|<0xE2>|<0x82>", "€a\uFFFD\uFFFD")]
    [InlineData("""{"type": "Strip", "content": "_", "start": 1, "stop": 2}""", "__a___|_", "_a_")]
    [InlineData("""{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}""", " | a| b", " a b")]
    [InlineData("""{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Replace", "pattern": {"Regex": "a+"}, "content": "x"}]}""", "a|ab", "xb")]
    [InlineData("""{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}""", "Ã|©|漢|Ã", "é漢\uFFFD")]
    public void Decoders_join_tokens_as_the_library_does(string json, string tokens, string expected)
    {
        var sink = new DecoderSink();
        var chain = TokenizerParts.Decoder(Of(json))(sink);
        foreach (var token in tokens.Split('|'))
        {
            chain.Add(token);
            chain.EndToken();
        }

        chain.Finish();
        Assert.Equal(expected, sink.Take());
    }

    [Theory]
    [InlineData("""{"type": "BertProcessing", "sep": ["[SEP]", 7], "cls": ["[CLS]", 5]}""", "5", "7")]
    [InlineData("""{"add_prefix_space": true, "trim_offsets": false, "use_regex": true, "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [5], "tokens": ["<s>"]}}}""", "5", "")]
    [InlineData("""{"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false}, {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1, 2], "tokens": ["<s>", "x"]}, "</s>": {"id": "</s>", "ids": [3], "tokens": ["</s>"]}}}]}""", "1 2", "3")]
    public void Post_processors_put_tokens_around(string json, string before, string after)
    {
        var around = TokenizerParts.PostProcessor(Of(json));
        Assert.Equal((before, after), (string.Join(' ', around.Before), string.Join(' ', around.After)));
    }

    private static string Split(string text, string json)
    {
        var steps = new List<PreTokenizer>();
        TokenizerParts.AddPreTokenizers(Of(json), steps);
        List<Piece> pieces = [new(text, 0, text.Length, true)];
        foreach (var step in steps)
        {
            var next = new List<Piece>();
            foreach (var piece in pieces) step.Apply(piece, next);
            pieces = next;
        }

        return string.Join('|', pieces.Select(piece => piece.Span.ToString()));
    }

    private static Section Of(string json) => Section.Of(JsonDocument.Parse(json).RootElement, "part");
}
