using System.Text.Json.Nodes;
using CsCheck;
using Deliberate.Inference.Tokenization;
using Xunit;

namespace Deliberate.Inference.Tests.Tokenization;

public sealed class TokenizerFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public TokenizerFileTests()
    {
        _path = _folder.File("tokenizer.json");
        Tiny.Tokenizer.Save(_path);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_written_is_read_as_the_same_tokenizer()
    {
        var read = BpeTokenizer.Load(_path);
        Gen.String.Sample(text => Assert.Equal(Tiny.Tokenizer.Encode(text), read.Encode(text)));
        Assert.Equal(Tiny.Tokenizer.Encode("<|user|> a robbery", allowSpecial: true), read.Encode("<|user|> a robbery", allowSpecial: true));
        Assert.True(read.IsSpecial(read.TokenId("</think>")));
        Assert.False(read.IsSpecial(read.TokenId(" a robbery")));
        read.Save(_folder.File("again.json"));
        Assert.Equal(File.ReadAllBytes(_path), File.ReadAllBytes(_folder.File("again.json")));
    }

    [Fact]
    public void Merges_may_be_strings()
    {
        var root = JsonNode.Parse(File.ReadAllText(_path))!;
        root["model"]!["merges"] = new JsonArray([.. root["model"]!["merges"]!.AsArray().Select(pair => (JsonNode)$"{pair![0]} {pair[1]}")]);
        File.WriteAllText(_path, root.ToJsonString());
        Assert.Equal(Tiny.Tokenizer.Encode("the man and the sea"), BpeTokenizer.Load(_path).Encode("the man and the sea"));
    }

    [Fact]
    public void Text_between_the_matches_of_a_split_is_kept()
    {
        var root = JsonNode.Parse(File.ReadAllText(_path))!;
        root["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = "[0-9]+";
        File.WriteAllText(_path, root.ToJsonString());
        var tokenizer = BpeTokenizer.Load(_path);
        Assert.Equal("the man is 70 years old", tokenizer.Decode(tokenizer.Encode("the man is 70 years old")));
    }

    public static TheoryData<string, string, string> Damages => new()
    {
        { "", "null", "empty" },
        { "", "[]", "" },
        { "", "{", "" },
        { "model", "null", "model" },
        { "model.type", "\"Unigram\"", "Unigram" },
        { "model.vocab", "[]", "" },
        { "model.vocab", "{}", "byte 0" },
        { "model.vocab.a", "-1", "'a'" },
        { "model.vocab.a", "2147483647", "2147483647" },
        { "model.vocab.a", "\"x\"", "" },
        { "model.vocab.a", "1e30", "" },
        { "model.vocab.a", "null", "" },
        { "model.merges", "7", "" },
        { "model.merges", "[\"a b c\"]", "a b c" },
        { "model.merges", "[[\"a\"]]", "" },
        { "model.merges", "[[\"a\", \"☃\"]]", "model.merges[0]" },
        { "model.merges", "[null]", "" },
        { "added_tokens", "null", "added_tokens" },
        { "added_tokens", "[{\"id\": 1}]", "" },
        { "added_tokens", "[{\"id\": 1, \"content\": \"\", \"special\": true}]", "empty" },
        { "added_tokens", "[{\"id\": -7, \"content\": \"x\", \"special\": true}]", "-7" },
        { "normalizer", "{\"type\": \"NFC\"}", "NFC" },
        { "pre_tokenizer", "null", "pre_tokenizer" },
        { "pre_tokenizer", "{\"type\": \"Whitespace\"}", "Whitespace" },
        { "pre_tokenizer", "{\"type\": \"Split\", \"behavior\": \"Isolated\", \"pattern\": {\"Regex\": \"(\"}}", "" },
        { "pre_tokenizer", "{\"type\": \"ByteLevel\", \"add_prefix_space\": true}", "add_prefix_space" },
        { "pre_tokenizer", "{\"type\": \"ByteLevel\", \"use_regex\": false}", "splits nothing" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_file_fails_with_one_line_that_names_it(string field, string value, string expected)
    {
        var root = JsonNode.Parse(File.ReadAllText(_path))!;
        var fields = field.Split('.');
        var parent = root;
        foreach (var name in fields[..^1]) parent = parent[name]!;
        if (field.Length > 0) parent[fields[^1]] = JsonNode.Parse(value);
        File.WriteAllText(_path, field.Length == 0 ? value : root.ToJsonString());
        AssertOneLine(Assert.Throws<InvalidDataException>(() => BpeTokenizer.Load(_path)), expected);
    }

    [Fact]
    public void A_field_that_stands_twice_fails_with_one_line()
    {
        File.WriteAllText(_path, File.ReadAllText(_path).Replace("\"vocab\":{", "\"vocab\":{\"a\":1,\"a\":2,", StringComparison.Ordinal));
        AssertOneLine(Assert.Throws<InvalidDataException>(() => BpeTokenizer.Load(_path)), "");
    }

    [Fact]
    public void Random_damage_never_does_worse_than_that()
    {
        var bytes = File.ReadAllBytes(_path);
        Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Byte, Gen.Int[0, 3]).Array[1, 4].Sample(edits =>
        {
            var damaged = bytes.ToList();
            foreach (var (at, value, kind) in edits)
                if (kind == 0) damaged.RemoveRange(Math.Min(at, damaged.Count), Math.Min(value, damaged.Count - Math.Min(at, damaged.Count)));
                else damaged[Math.Min(at, damaged.Count - 1)] = kind == 1 ? value : (byte)"0\"{}[]-,"[value % 8];
            var path = _folder.File($"damaged-{Guid.NewGuid():N}.json"); // samples run on several threads
            File.WriteAllBytes(path, [.. damaged]);
            try
            {
                BpeTokenizer.Load(path);
            }
            catch (InvalidDataException error)
            {
                AssertOneLine(error, "", path);
            }
        }, iter: 150);
    }

    private void AssertOneLine(InvalidDataException error, string expected, string? path = null)
    {
        Assert.StartsWith(path ?? _path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
