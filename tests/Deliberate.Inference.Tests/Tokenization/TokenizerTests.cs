using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Deliberate.Inference.Tokenization;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public sealed class TokenizerTests : IDisposable
{
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String,
        Gen.OneOf("a", " a robbery", " the man", "<|end|>", "</think>", "<think", " [T3]", "  ", "\n\n", "é", "漢字", "😀", "\uD83D", "\uDE00", "𝐀", "7", "'s", "\0", "▁", "policy", "café", "<0x0A>").Array[0, 12].Select(string.Concat));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Reads_what_the_trainer_writes_as_its_own_reader_does()
    {
        var path = _folder.File("tokenizer.json");
        Tiny.Tokenizer.Save(path);
        var read = Tokenizer.Load(path);
        Texts.Sample(text =>
        {
            foreach (var allow in (bool[])[false, true])
            {
                var ids = Tiny.Tokenizer.Encode(text, allow);
                Assert.Equal(ids, read.Encode(text, allowSpecial: allow));
                Assert.Equal(ids, Tiny.Tokenizer.AsTokenizer().Encode(text, allowSpecial: allow));
                Assert.Equal(Tiny.Valid(text), read.Decode(ids));
                Assert.Equal(Tiny.Tokenizer.Decode(ids, skipSpecial: true), read.Decode(ids, skipSpecial: true));
            }
        });
        Assert.Equal(Tiny.Tokenizer.VocabSize, read.VocabSize);
        Assert.Equal(Tiny.Tokenizer.TokenId("</think>"), read.FindToken("</think>"));
        Assert.Equal(Tiny.Tokenizer.TokenId("a"), Tiny.Tokenizer.AsTokenizer().FindToken("a"));
        Assert.Null(read.FindToken("<nobody>"));
    }

    [Theory]
    [InlineData("edge-mini")]
    [InlineData("gemma-mini")]
    [InlineData("llama2-mini")]
    public void Any_ids_come_out_the_same_one_by_one_and_in_whole_characters(string name)
    {
        var tokenizer = Vocabularies.Load(Vocabularies.SmallPath(name));
        Gen.Select(Gen.Int[-1, tokenizer.VocabSize].Array[0, 40], Gen.Int[0, 40].Array[0, 40].Select(bytes => bytes.Select(value => value + 100).ToArray()), Gen.Bool).Sample((any, bytes, skip) =>
        {
            int[] ids = [.. any, .. bytes, .. any];
            var decoder = tokenizer.StartDecoding(skip);
            string[] pieces = [.. ids.Select(decoder.Add), decoder.Finish()];
            Assert.Equal(tokenizer.Decode(ids, skip), string.Concat(pieces));
            Assert.All(pieces, piece => Assert.Equal(Tiny.Valid(piece), piece));
        });
    }

    [Theory]
    [InlineData("edge-mini")]
    [InlineData("gemma-mini")]
    [InlineData("llama2-mini")]
    public void Text_from_outside_gives_no_control_token(string name)
    {
        var tokenizer = Vocabularies.Load(Vocabularies.SmallPath(name));
        var control = tokenizer.Added.Where(token => token.Control && !token.Text.StartsWith("<0x", StringComparison.Ordinal) && token.Text != "<unk>").ToDictionary(token => token.Id);
        Assert.NotEmpty(control);
        Gen.OneOf(Texts, Gen.OneOf(control.Values.Select(token => token.Text).Append(" a").ToArray()).Array[1, 5].Select(string.Concat)).Sample(text =>
            Assert.DoesNotContain(tokenizer.Encode(text, allowSpecial: false), control.ContainsKey));
    }

    [Fact]
    public void Marks_that_a_file_does_not_call_special_are_control_tokens_too()
    {
        var tokenizer = Small(root => root["added_tokens"]!.AsArray().Add(Added(300, "<｜User｜>", special: false)));
        Assert.Equal([300], tokenizer.Encode("<｜User｜>"));
        Assert.DoesNotContain(300, tokenizer.Encode("<｜User｜>", allowSpecial: false));
        Assert.Equal("<｜User｜>", tokenizer.Decode(tokenizer.Encode("<｜User｜>", allowSpecial: false)));
    }

    [Fact]
    public void Merges_do_not_lead_text_from_outside_to_a_control_token()
    {
        // The library's own conversion of SentencePiece vocabularies makes merges for control tokens as well.
        var tokenizer = Small(root =>
        {
            root["pre_tokenizer"] = JsonNode.Parse("""{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}""");
            root["model"]!["vocab"]!["<s"] = 256;
            root["model"]!["vocab"]!["<s>"] = 257;
            root["model"]!["merges"] = new JsonArray("< s", "<s >");
            root["added_tokens"]!.AsArray().Add(Added(257, "<s>", special: true));
        });
        Assert.Equal([257], tokenizer.Encode("<s>"));
        Assert.Equal([256, tokenizer.FindToken(">")!.Value], tokenizer.Encode("<s>", allowSpecial: false));
    }

    [Fact]
    public void Whole_words_come_before_merges_where_the_file_says_so()
    {
        void Word(JsonNode root) => root["model"]!["vocab"]!["cab"] = 256;
        Assert.Equal(3, Small(Word).Encode("cab").Length);
        Assert.Equal([256], Small(root =>
        {
            Word(root);
            root["model"]!["ignore_merges"] = true;
        }).Encode("cab"));
    }

    [Fact]
    public void Prefix_and_suffix_mark_the_inside_and_the_end_of_words()
    {
        var tokenizer = Small(root =>
        {
            root["pre_tokenizer"] = JsonNode.Parse("""{"type": "WhitespaceSplit"}""");
            root["model"] = JsonNode.Parse("""{"type": "BPE", "unk_token": "?", "continuing_subword_prefix": "##", "end_of_word_suffix": "</w>", "vocab": {"?": 0, "a": 1, "##b": 2, "##c</w>": 3, "ab": 4, "abc</w>": 5, "a</w>": 6}, "merges": [["a", "##b"], ["ab", "##c</w>"]]}""");
        });
        Assert.Equal([5, 6, 0], tokenizer.Encode("abc a z"));
        Assert.Equal([0, 0, 0], tokenizer.Encode("zzz"));
    }

    [Theory]
    [InlineData("aaaaaaaa")]
    [InlineData("manthe")]
    [InlineData("        ")]
    [InlineData("漢😀")]
    public void A_megabyte_without_a_break_is_no_trouble(string part)
    {
        var text = string.Concat(Enumerable.Repeat(part, (1 << 20) / Encoding.UTF8.GetByteCount(part)));
        foreach (var name in Vocabularies.Small)
        {
            var tokenizer = Vocabularies.Load(Vocabularies.SmallPath(name));
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text))[(name == "edge-mini" && part[0] != ' ' ? 1 : 0)..]);
        }
    }

    [Fact]
    public void A_pattern_without_end_is_an_error_of_one_line() =>
        Assert.Contains("backtracks", Assert.Throws<InvalidDataException>(() => Small(root => root["pre_tokenizer"] = JsonNode.Parse("""{"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated", "invert": false}""")).Encode(new string('a', 60))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("normalizer", "normalizers", """{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}""")]
    [InlineData("normalizer", "normalizers", """{"type": "ByteLevel"}""")]
    [InlineData("pre_tokenizer", "pretokenizers", """{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}""")]
    public void Steps_that_lengthen_a_text_without_end_are_an_error(string field, string list, string step)
    {
        var tokenizer = Small(root => root[field] = new JsonObject { ["type"] = "Sequence", [list] = new JsonArray([.. Enumerable.Range(0, 60).Select(_ => JsonNode.Parse(step))]) });
        Assert.Contains("characters", Assert.Throws<InvalidDataException>(() => tokenizer.Encode("aé")).Message, StringComparison.Ordinal);
    }

    private static JsonObject Added(int id, string text, bool special) => new() { ["id"] = id, ["content"] = text, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = special };

    private Tokenizer Small(Action<JsonNode> change)
    {
        var root = JsonNode.Parse(TokenizerSeeds.ByteLevel)!;
        change(root);
        var path = _folder.File($"{Guid.NewGuid():N}.json");
        File.WriteAllText(path, root.ToJsonString());
        return Tokenizer.Load(path);
    }
}
