using System.Text.Json.Nodes;
using Deliberate.Inference.Models;
using Xunit;

namespace Deliberate.Inference.Tests.Models;

public sealed class ModelFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(nameof(Tiny.Odd))]
    [InlineData(nameof(Tiny.Untied))]
    public void A_model_survives_the_round_trip(string shape)
    {
        var config = Tiny.Shape(shape) with { RopeTheta = 5_000, RmsNormEps = 1e-6f };
        var weights = Tiny.Weights(config);
        ModelFolder.Save(_folder.Path, weights, Tiny.Tokenizer, StorageType.F32);
        var loaded = ModelFolder.Load(_folder.Path);
        Assert.Equal(config, loaded.Weights.Config);
        foreach (var (name, _) in config.Tensors()) Assert.Equal(weights[name], loaded.Weights[name]);
        Assert.Equal(ModelFolder.FingerprintOf(weights), loaded.Fingerprint);
        Assert.Equal(Tiny.Tokenizer.Encode("the man"), loaded.Tokenizer.Encode("the man"));
        Assert.Equal(_folder.Path, loaded.Path);
    }

    [Fact]
    public void The_fingerprint_is_that_of_the_values_as_stored()
    {
        var weights = Tiny.Weights(Tiny.Odd);
        ModelFolder.Save(_folder.Path, weights, Tiny.Tokenizer, StorageType.BF16, new Dictionary<string, string> { ["seed"] = "1" });
        var rounded = ModelFolder.Load(_folder.Path);
        Assert.NotEqual(ModelFolder.FingerprintOf(weights), rounded.Fingerprint);
        ModelFolder.Save(_folder.Path, rounded.Weights, Tiny.Tokenizer, StorageType.BF16);
        Assert.Equal(rounded.Fingerprint, ModelFolder.Load(_folder.Path).Fingerprint);
    }

    [Fact]
    public void The_fingerprint_sees_one_changed_value_and_the_shape()
    {
        var weights = Tiny.Weights(Tiny.Odd);
        var before = ModelFolder.FingerprintOf(weights);
        Assert.Matches("^[0-9a-f]{16}$", before);
        Assert.Equal(before, ModelFolder.FingerprintOf(Tiny.Weights(Tiny.Odd)));
        Assert.NotEqual(before, ModelFolder.FingerprintOf(Tiny.Weights(Tiny.Odd with { RopeTheta = 5_000 })));
        weights["model.norm.weight"][3] = MathF.BitIncrement(weights["model.norm.weight"][3]);
        Assert.NotEqual(before, ModelFolder.FingerprintOf(weights));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("tokenizer.json")]
    public void A_missing_file_is_named(string name)
    {
        SaveOdd();
        File.Delete(_folder.File(name));
        Assert.Equal($"{_folder.Path}: the model folder has no {name}.", Assert.Throws<FileNotFoundException>(() => ModelFolder.Load(_folder.Path)).Message);
    }

    [Theory]
    [InlineData("", "nonsense", "config.json")]
    [InlineData("", "[]", "config.json")]
    [InlineData("vocab_size", "null", "vocab_size")]
    [InlineData("vocab_size", "\"300\"", "vocab_size")]
    [InlineData("vocab_size", "299", "model.embed_tokens.weight")]
    [InlineData("vocab_size", "2147483647", "model.embed_tokens.weight")]
    [InlineData("hidden_size", "-40", "hidden_size")]
    [InlineData("hidden_size", "40.5", "hidden_size")]
    [InlineData("hidden_size", "2147483647", "model.embed_tokens.weight")]
    [InlineData("num_hidden_layers", "3", "model.layers.2")]
    [InlineData("num_hidden_layers", "2147483647", "num_hidden_layers")]
    [InlineData("num_attention_heads", "2", "q_proj")]
    [InlineData("num_key_value_heads", "2", "num_key_value_heads")]
    [InlineData("num_key_value_heads", "\"1\"", "num_key_value_heads")]
    [InlineData("head_dim", "7", "head_dim")]
    [InlineData("intermediate_size", "51", "gate_proj")]
    [InlineData("tie_word_embeddings", "false", "lm_head.weight")]
    public void A_damaged_config_fails_with_one_line(string field, string value, string expected)
    {
        SaveOdd();
        var file = _folder.File("config.json");
        if (field.Length > 0)
        {
            var root = JsonNode.Parse(File.ReadAllText(file))!;
            root[field] = JsonNode.Parse(value);
            File.WriteAllText(file, root.ToJsonString());
        }
        else File.WriteAllText(file, value);
        AssertOneLine(expected);
    }

    [Fact]
    public void Optional_fields_have_the_familys_defaults()
    {
        ModelFolder.Save(_folder.Path, Tiny.Weights(Tiny.Odd with { Heads = 4, KvHeads = 4, HeadDim = 10 }), Tiny.Tokenizer, StorageType.F32);
        var root = JsonNode.Parse(File.ReadAllText(_folder.File("config.json")))!.AsObject();
        foreach (var field in (string[])["num_key_value_heads", "head_dim", "rope_theta", "rms_norm_eps"]) root.Remove(field);
        File.WriteAllText(_folder.File("config.json"), root.ToJsonString());
        Assert.Equal(Tiny.Odd with { Heads = 4, KvHeads = 4, HeadDim = 10, RmsNormEps = 1e-6f }, ModelFolder.Load(_folder.Path).Weights.Config);
    }

    [Fact]
    public void A_cut_off_weight_file_fails_with_one_line()
    {
        SaveOdd();
        var file = _folder.File("model.safetensors");
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^100]);
        AssertOneLine("model.safetensors");
    }

    [Fact]
    public void A_tokenizer_with_more_tokens_than_the_model_fails_with_one_line()
    {
        ModelFolder.Save(_folder.Path, Tiny.Weights(Tiny.Odd with { VocabSize = 299 }), Tiny.Tokenizer, StorageType.F32);
        AssertOneLine("299");
    }

    [Fact]
    public void No_temporary_file_stays_behind()
    {
        SaveOdd();
        SaveOdd();
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order());
    }

    private void SaveOdd() => ModelFolder.Save(_folder.Path, Tiny.Weights(Tiny.Odd), Tiny.Tokenizer, StorageType.F32);

    private void AssertOneLine(string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => ModelFolder.Load(_folder.Path));
        Assert.StartsWith(_folder.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
