using CsCheck;
using Deliberate.Inference.Chat;
using Deliberate.Inference.Tokenization;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public class StreamingDecoderTests
{
    private static readonly BpeTokenizer Tokenizer = Tiny.Tokenizer;
    private static readonly Gen<int[]> AnyTokens = Gen.Int[0, 299].Array[0, 40];

    [Fact]
    public void Token_by_token_gives_the_same_text_as_all_at_once() =>
        AnyTokens.Sample(tokens =>
        {
            var decoder = Tokenizer.StartDecoding();
            Assert.Equal(Tokenizer.Decode(tokens), string.Concat(tokens.Select(decoder.Add)) + decoder.Finish());
        });

    [Fact]
    public void No_piece_holds_a_part_of_a_character() =>
        Gen.String.Sample(text =>
        {
            var decoder = Tokenizer.StartDecoding();
            foreach (var token in Tokenizer.Encode(text))
            {
                var piece = decoder.Add(token);
                Assert.Equal(Tiny.Valid(piece), piece); // a lone surrogate would have changed
            }

            Assert.Equal("", decoder.Finish());
        });

    [Fact]
    public void A_character_of_four_bytes_arrives_whole()
    {
        var tokens = Tokenizer.Encode("😀");
        Assert.Equal(4, tokens.Length);
        var decoder = Tokenizer.StartDecoding();
        Assert.Equal(["", "", "", "😀"], tokens.Select(decoder.Add));
    }

    [Fact]
    public void A_broken_character_shows_at_the_end()
    {
        var decoder = Tokenizer.StartDecoding();
        Assert.Equal("", decoder.Add(Tokenizer.Encode("😀")[0]));
        Assert.Equal("\uFFFD", decoder.Finish());
    }

    [Fact]
    public void Trimmed_text_is_the_trimmed_whole() =>
        Gen.OneOf(AnyTokens, Gen.OneOf(" ", "\n", "  ", "a", " man", "\u00A0", "", "é").Array[0, 20].Select(parts => Tokenizer.Encode(string.Concat(parts)))).Sample(tokens =>
        {
            var text = new TrimmedText(Tokenizer);
            Assert.Equal(Tokenizer.Decode(tokens).Trim(), string.Concat(tokens.Select(text.Add)) + text.Finish());
        });
}
