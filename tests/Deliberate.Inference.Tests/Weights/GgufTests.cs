using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Deliberate.Inference.Weights.Gguf;
using Xunit;

namespace Deliberate.Inference.Tests.Weights;

public sealed class GgufTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(GgufType.Q40)]
    [InlineData(GgufType.Q41)]
    [InlineData(GgufType.Q50)]
    [InlineData(GgufType.Q51)]
    [InlineData(GgufType.Q80)]
    [InlineData(GgufType.Q2K)]
    [InlineData(GgufType.Q3K)]
    [InlineData(GgufType.Q4K)]
    [InlineData(GgufType.Q5K)]
    [InlineData(GgufType.Q6K)]
    public void Blocks_give_the_references_values_to_the_bit(GgufType type)
    {
        using var file = SafeTensorsFile.Open(Fixture("quants.safetensors"));
        var expected = file.Values(type.DisplayName() + ".values");
        var values = new float[expected.Length];
        Dequantization.ToSingle(type, file.Bytes(type.DisplayName() + ".raw"), values);
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), values.Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Metadata_of_every_type_is_read()
    {
        using var file = GgufFile.Open(Fixture("metadata.gguf"));
        using var expected = JsonDocument.Parse(File.ReadAllBytes(Fixture("metadata.json")));
        foreach (var entry in expected.RootElement.EnumerateObject())
        {
            if (entry.Name == "test.empty_s") continue; // the writer leaves empty texts out
            var value = JsonSerializer.SerializeToNode(file.Metadata[entry.Name] is Array[] lists ? lists.Select(list => list.Cast<object>()) : file.Metadata[entry.Name]);
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(entry.Value.GetRawText()), value), $"{entry.Name}: {value?.ToJsonString()}");
        }

        Assert.Equal([0, 1, 2, 3, 4, 5], file.Values("a.weight"));
        Assert.Equal([2, 3], file.Tensors["a.weight"].Shape);
        Assert.Equal([0, 1, 2, 3, 4], file.Values("b.weight"));
    }

    [Theory]
    [InlineData("big-endian", "big-endian")]
    [InlineData("truncated-data", "its data should have 128 bytes; 88 are there")]
    [InlineData("truncated-header", "")]
    [InlineData("kv-count", "the number of metadata entries is 1152921504606846976")]
    [InlineData("tensor-count", "the number of tensors is 1152921504606846976")]
    [InlineData("empty", "it ends within its first four bytes")]
    [InlineData("string-length", "the length of the key of metadata entry 0 is 4611686018427387904")]
    [InlineData("magic", "does not start with 'GGUF'")]
    [InlineData("version", "version 99")]
    public void A_broken_file_is_one_clear_error(string name, string expected)
    {
        var path = Fixture($"bad-{name}.gguf");
        var message = Assert.Throws<InvalidDataException>(() => GgufFile.Open(path)).Message;
        Assert.StartsWith(path + ": not a readable GGUF file: ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("llama2")]
    [InlineData("smollm2")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("gemma3")]
    public void A_tiny_model_converts_back_to_its_folder(string family)
    {
        using var expected = StoredModel.Open(Fixtures.Model(family));
        var type = expected.Tensors["model.norm.weight"].Type;
        var imported = GgufImport.Convert(Fixture(family + ".gguf"), _folder.Path, type, maxShard: 40_000);
        using var model = StoredModel.Open(_folder.Path);
        // The files do not hold Gemma's query_pre_attn_scalar.
        Assert.Equal(expected.Config with { QueryScalar = expected.Config.QueryScalar is null ? null : expected.Config.HeadDim }, model.Config);
        Assert.Equal(imported.Config, model.Config);
        Assert.Null(imported.Tokenizer);
        foreach (var (name, _) in expected.Config.Tensors()) Assert.True(expected.Tensors.FileOf(name).Bytes(name).SequenceEqual(model.Tensors.FileOf(name).Bytes(name)), name);
    }

    [Fact]
    public void A_real_model_has_the_references_tensors_and_tokenizer()
    {
        var source = Fixtures.Shared("models", "SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");
        // Away from the tokenizer.json beside it, so that the one in the metadata is used.
        File.CreateSymbolicLink(_folder.File("model.gguf"), source);
        var imported = GgufImport.Convert(_folder.File("model.gguf"), _folder.File("out"));
        Assert.Equal((134_515_008, "metadata"), (imported.Parameters, imported.Tokenizer));
        using var model = StoredModel.Open(_folder.File("out"));
        Assert.Equal(ConfigFile.Read(Fixtures.Shared("models", "SmolLM2-135M-Instruct", "config.json")), model.Config);
        Assert.Equal([2], model.StopTokens);
        using var tensors = JsonDocument.Parse(File.ReadAllBytes(Fixtures.Shared("fixtures", "smollm2", "tensors.json")));
        Assert.Equal(tensors.RootElement.EnumerateObject().Count(), model.Tensors.Names.Count);
        foreach (var tensor in tensors.RootElement.EnumerateObject())
            Assert.Equal(tensor.Value.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(model.Tensors.FileOf(tensor.Name).Bytes(tensor.Name))));
        var (expected, tokenizer) = (Json(Fixtures.Shared("models", "SmolLM2-135M-Instruct", "tokenizer.json")), Json(Path.Combine(_folder.File("out"), "tokenizer.json")));
        foreach (var field in expected.Select(entry => entry.Key)) Assert.True(JsonNode.DeepEquals(expected[field], tokenizer[field]), field);
        var settings = Json(Fixtures.Shared("models", "SmolLM2-135M-Instruct", "tokenizer_config.json"));
        Assert.Equal((string?)settings["chat_template"], File.ReadAllText(Path.Combine(_folder.File("out"), "chat_template.jinja")));
        Assert.Equal((string?)settings["eos_token"], (string?)Json(Path.Combine(_folder.File("out"), "tokenizer_config.json"))["eos_token"]);
    }

    [Fact]
    public void A_tokenizer_beside_the_file_goes_first()
    {
        File.Copy(Fixture("llama2.gguf"), _folder.File("model.gguf"));
        File.WriteAllText(_folder.File("tokenizer.json"), "{}");
        Assert.Equal(_folder.File("tokenizer.json"), GgufImport.Convert(_folder.File("model.gguf"), _folder.File("out")).Tokenizer);
        Assert.Equal("{}", File.ReadAllText(Path.Combine(_folder.File("out"), "tokenizer.json")));
    }

    [Theory]
    [InlineData("general.architecture", "gpt2 ", "architecture 'gpt2 ' is not imported")]
    [InlineData("llama.block_count", null, "metadata 'llama.block_count' is missing")]
    [InlineData("output_norm.weight", null, "tensor 'output_norm.weight' is missing")]
    public void What_is_not_imported_is_named_and_nothing_is_written(string key, string? value, string expected)
    {
        var bytes = File.ReadAllBytes(Fixture("llama2.gguf"));
        // Same lengths, so that the file stays well-formed: another architecture, or another key.
        var (from, to) = value is null ? (key, new string('x', key.Length)) : ("llama", value);
        var at = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(value is null ? key : "llama"));
        Encoding.UTF8.GetBytes(to).CopyTo(bytes, at);
        Assert.Equal(from.Length, to.Length);
        File.WriteAllBytes(_folder.File("a.gguf"), bytes);
        var message = Assert.Throws<InvalidDataException>(() => GgufImport.Convert(_folder.File("a.gguf"), _folder.File("out"))).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    private static string Fixture(string name) => Fixtures.Shared("fixtures", "gguf", name);

    private static JsonObject Json(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();
}
