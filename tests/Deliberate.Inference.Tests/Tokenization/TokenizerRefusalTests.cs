using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Deliberate.Inference.Tokenization;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public sealed class TokenizerRefusalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string, string> Refusals => new()
    {
        { "model.type", "\"Unigram\"", "model.type is 'Unigram'" },
        { "model.type", "\"WordPiece\"", "model.type is 'WordPiece'" },
        { "model.dropout", "0.1", "model.dropout" },
        { "model.vocab", "{\"a\": -1}", "'a'" },
        { "model.vocab", "{\"a\": 1.5}", "'a'" },
        { "model.vocab", "[]", "model.vocab is an array" },
        { "model.merges", "[[\"a\", \"z\"]]", "model.merges[0]" },
        { "model.merges", "[\"a b c\"]", "model.merges[0]" },
        { "model.merges", "null", "model.merges is missing" },
        { "model.unk_token", "\"<nothing>\"", "<nothing>" },
        { "model.byte_fallback", "\"yes\"", "model.byte_fallback is a text" },
        { "model.new_option", "1", "model.new_option is not supported" },
        { "version", "\"2.0\"", "version is '2.0'" },
        { "surprise", "1", "surprise is not supported" },
        { "truncation", "{\"max_length\": 5}", "truncation" },
        { "padding", "{\"strategy\": {\"Fixed\": 8}}", "padding.strategy" },
        { "padding", "{\"strategy\": \"BatchLongest\", \"pad_to_multiple_of\": 8}", "pad_to_multiple_of" },
        { "normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"\"}", "normalizer.type 'Precompiled' is not supported" },
        { "normalizer", "{\"type\": \"Nmt\"}", "'Nmt'" },
        { "normalizer", "{\"type\": \"NFC\", \"extra\": 1}", "normalizer.extra" },
        { "normalizer", "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"(\"}, \"content\": \"\"}", "normalizer.pattern.Regex" },
        { "pre_tokenizer", "{\"type\": \"UnicodeScripts\"}", "'UnicodeScripts'" },
        { "pre_tokenizer", "{\"type\": \"FixedLength\", \"length\": 5}", "'FixedLength'" },
        { "pre_tokenizer", "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Odd\"}]}", "pre_tokenizer.pretokenizers[0].type 'Odd'" },
        { "pre_tokenizer", "{\"type\": \"Split\", \"pattern\": {\"String\": \" \"}, \"behavior\": \"Odd\", \"invert\": false}", "pre_tokenizer.behavior is 'Odd'" },
        { "pre_tokenizer", "{\"type\": \"Metaspace\", \"replacement\": \"__\"}", "pre_tokenizer.replacement is not one character" },
        { "pre_tokenizer", "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"last\"}", "'last'" },
        { "pre_tokenizer", "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"add_prefix_space\": false}", "add_prefix_space" },
        { "post_processor", "{\"type\": \"Odd\"}", "post_processor.type 'Odd'" },
        { "post_processor", "{\"type\": \"TemplateProcessing\", \"single\": [], \"special_tokens\": {}}", "post_processor.single" },
        { "decoder", "{\"type\": \"CTC\"}", "decoder.type 'CTC'" },
        { "decoder", "{\"type\": \"WordPiece\"}", "decoder.type 'WordPiece'" },
        { "decoder", "{\"type\": \"Strip\", \"content\": \" \", \"start\": -1, \"stop\": 0}", "negative" },
        { "added_tokens", "[{\"id\": 0, \"content\": \"x\"}]", "added_tokens[0].special is missing" },
        { "added_tokens", "7", "added_tokens is 7" },
        { "model", "null", "model is missing" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Refusals))]
    public void What_is_not_supported_is_refused_by_name(string field, string value, string expected)
    {
        var root = JsonNode.Parse(TokenizerSeeds.SentencePiece)!;
        var fields = field.Split('.');
        (fields.Length == 1 ? root : root[fields[0]]!)[fields[^1]] = JsonNode.Parse(value);
        var path = _folder.File("tokenizer.json");
        File.WriteAllText(path, root.ToJsonString());
        var message = Assert.Throws<InvalidDataException>(() => Tokenizer.Load(path)).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_damaged_file_is_read_or_refused_with_one_line() => Damage(2_000);

    [Fact(Explicit = true)]
    public void A_hundred_thousand_damaged_files_are_read_or_refused_with_one_line() => Damage(100_000);

    private void Damage(int count)
    {
        var (good, refused) = (0, 0);
        var seeds = new[] { TokenizerSeeds.SentencePiece, TokenizerSeeds.SentencePiece, TokenizerSeeds.ByteLevel }.Select(Encoding.UTF8.GetBytes).ToArray();
        Gen.OneOf([.. seeds.Select(Mutation.Of)]).Sample(bytes =>
        {
            var path = _folder.File($"{Guid.NewGuid():N}.json");
            File.WriteAllBytes(path, bytes);
            try
            {
                Use(Tokenizer.Load(path));
                Interlocked.Increment(ref good);
            }
            catch (InvalidDataException error)
            {
                Assert.DoesNotContain('\n', error.Message);
                Interlocked.Increment(ref refused);
            }
            finally
            {
                File.Delete(path);
            }
        }, iter: Mutation.Count(count));
        TestContext.Current.SendDiagnosticMessage($"{good} read, {refused} refused");
        Assert.True(good > 0 && refused > 0);
    }

    private static void Use(Tokenizer tokenizer)
    {
        const string text = "Abc  a b's Word<s> é\n漢😀 12345 ▁<unk>";
        var ids = tokenizer.Encode(text, special: true);
        tokenizer.Encode(text, allowSpecial: false);
        tokenizer.Decode(ids);
        var decoder = tokenizer.StartDecoding();
        Assert.Equal(tokenizer.Decode(ids), string.Concat((string[])[.. ids.Select(decoder.Add), decoder.Finish()]));
    }
}
