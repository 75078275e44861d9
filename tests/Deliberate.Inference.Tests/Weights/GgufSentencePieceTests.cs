using System.Text.Json.Nodes;
using Deliberate.Inference.Weights.Gguf;
using Xunit;

namespace Deliberate.Inference.Tests.Weights;

public sealed class GgufSentencePieceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama2-mini", true)]
    [InlineData("gemma-mini", false)]
    public void Scores_give_the_merges_and_the_rest_is_as_published(string name, bool isPrefixed)
    {
        var expected = JsonNode.Parse(File.ReadAllText(Fixtures.Shared("fixtures", "tokenizers", name, "tokenizer.json")))!;
        var ids = expected["model"]!["vocab"]!.AsObject().ToDictionary(entry => entry.Key, entry => (int)entry.Value!);
        string[] tokens = [.. ids.OrderBy(entry => entry.Value).Select(entry => entry.Key)];
        var unknown = ids["<unk>"];
        string[] controls = isPrefixed ? ["<s>", "</s>"] : ["<pad>", "<eos>", "<bos>"];
        var sample = Sample(tokens, [.. tokens.Select((_, id) => -(float)id)], [.. tokens.Select((token, id) => id == unknown ? 2 : controls.Contains(token) ? 3 : token.StartsWith("<0x", StringComparison.Ordinal) ? 6 : 1)])
            .Add("tokenizer.ggml.bos_token_id", (uint)ids[isPrefixed ? "<s>" : "<bos>"]);
        if (!isPrefixed) sample.Add("tokenizer.ggml.add_space_prefix", false);
        var json = Read(sample);
        foreach (var part in (string[])["normalizer", "pre_tokenizer", "decoder", "truncation", "padding"]) Assert.True(JsonNode.DeepEquals(expected[part], json[part]), part);
        Assert.True(JsonNode.DeepEquals(expected["post_processor"]!["single"], json["post_processor"]!["single"]));
        foreach (var part in (string[])["type", "unk_token", "fuse_unk", "byte_fallback", "ignore_merges", "vocab"]) Assert.True(JsonNode.DeepEquals(expected["model"]![part], json["model"]![part]), part);
        Assert.Equal([.. controls, "<unk>"], json["added_tokens"]!.AsArray().Select(token => (string?)token!["content"]).OrderBy(token => token == "<unk>"));
        // Scores allow every split of a token, the trained merges hold one; these stand in their order among the others.
        var merges = Merges(json);
        var trained = Merges(expected);
        Assert.Equal(trained, merges.Where(trained.ToHashSet().Contains));
        Assert.Equal(merges, merges.OrderBy(merge => ids[merge.Left + merge.Right]).ThenByDescending(merge => merge.Left.Length));
    }

    [Fact]
    public void What_a_user_defined_merges_first()
    {
        var json = Read(Sample(["<unk>", "a", "b", "ab", "\n", "\n\n"], [0, -1, -2, -3, -4, -1000], [2, 1, 1, 1, 1, 4]));
        Assert.Equal([("\n", "\n"), ("a", "b")], Merges(json));
        Assert.Null(json["post_processor"]);
        Assert.Equal(("\n\n", false), ((string?)json["added_tokens"]![1]!["content"], (bool)json["added_tokens"]![1]!["special"]!));
    }

    [Fact]
    public void What_does_not_fit_is_named()
    {
        Assert.Contains("'tokenizer.ggml.scores' has 1 entries for 2 tokens", Fails(Sample(["a", "b"], [0], [1, 1])), StringComparison.Ordinal);
        Assert.Contains("token 1 of 'tokenizer.ggml.tokens' has 200 characters", Fails(Sample(["a", new string('b', 200)], [0, 1], [1, 1])), StringComparison.Ordinal);
        Assert.Contains("occurs twice", Fails(Sample(["a", "a"], [0, 1], [1, 1])), StringComparison.Ordinal);
        Assert.Contains("the tokenizer is of model 'bert'", Fails(new GgufSample().Add("tokenizer.ggml.model", "bert")), StringComparison.Ordinal);
    }

    private static GgufSample Sample(string[] tokens, float[] scores, int[] kinds) => new GgufSample().Add("tokenizer.ggml.model", "llama")
        .Add("tokenizer.ggml.tokens", tokens).Add("tokenizer.ggml.scores", scores).Add("tokenizer.ggml.token_type", kinds);

    private static (string Left, string Right)[] Merges(JsonNode json) => [.. json["model"]!["merges"]!.AsArray().Select(merge => ((string)merge![0]!, (string)merge[1]!))];

    private JsonObject Read(GgufSample sample)
    {
        File.WriteAllBytes(_folder.File("a.gguf"), sample.ToArray());
        using var file = GgufFile.Open(_folder.File("a.gguf"));
        return GgufTokenizer.Read(file)!;
    }

    private string Fails(GgufSample sample)
    {
        var message = Assert.Throws<InvalidDataException>(() => Read(sample)).Message;
        Assert.StartsWith(_folder.File("a.gguf") + ": ", message, StringComparison.Ordinal);
        return message;
    }
}
