using System.Text.Json.Nodes;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Xunit;

namespace Deliberate.Inference.Tests.Models;

public sealed class ModelWriterTests : IDisposable
{
    private const int SmallShard = 30_000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TensorType.F32, long.MaxValue)]
    [InlineData(TensorType.F32, SmallShard)]
    [InlineData(TensorType.BF16, long.MaxValue)]
    [InlineData(TensorType.BF16, SmallShard)]
    [InlineData(TensorType.F16, SmallShard)]
    public void A_stored_model_is_written_in_parts_and_read_back(TensorType type, long maxShard)
    {
        using var source = Source();
        ModelWriter.Write(_folder.File("out"), source.Weights(), type, source.Path, maxShard, new Dictionary<string, string> { ["made"] = "here" });
        using var model = StoredModel.Open(_folder.File("out"));
        Assert.Equal(maxShard == SmallShard, model.Tensors.Files.Count > 1);
        Assert.All(model.Tensors.Files, file => Assert.Equal(("pt", "here"), (file.Metadata["format"], file.Metadata["made"])));
        var weights = Tiny.Weights(Tiny.Odd);
        foreach (var (name, _) in Tiny.Odd.Tensors())
        {
            Assert.Equal(type, model.Tensors[name].Type);
            Assert.Equal(weights[name].Select(value => type switch { TensorType.F32 => value, TensorType.F16 => (float)(Half)value, _ => BFloat16.ToSingle(BFloat16.FromSingle(value)) }), model.Weights()[name]);
        }
    }

    [Fact]
    public void An_index_is_that_of_transformers()
    {
        using var source = Source();
        ModelWriter.Write(_folder.File("out"), source.Weights(), TensorType.BF16, maxShard: SmallShard);
        var index = Json("model.safetensors.index.json");
        Assert.Equal((source.Weights().Parameters, source.Weights().Parameters * 2), ((long)index["metadata"]!["total_parameters"]!, (long)index["metadata"]!["total_size"]!));
        string[] files = [.. index["weight_map"]!.AsObject().Select(entry => (string)entry.Value!).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(Enumerable.Range(1, files.Length).Select(i => $"model-{i:D5}-of-{files.Length:D5}.safetensors"), files);
        Assert.Equal([.. files, "model.safetensors.index.json"], Directory.GetFiles(_folder.File("out"), "model*").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_belongs_to_the_model_comes_along()
    {
        using var source = Source();
        foreach (var name in (string[])["generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "notes.txt"]) File.WriteAllText(Path.Combine(source.Path, name), $"{{\"x\":\"{name}\"}}");
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(source.Path, "config.json")))!.AsObject();
        config["eos_token_id"] = 7;
        config["_name_or_path"] = "someone/model";
        File.WriteAllText(Path.Combine(source.Path, "config.json"), config.ToJsonString());
        ModelWriter.Write(_folder.File("out"), source.Weights(), TensorType.BF16, source.Path);
        Assert.Equal((7, "someone/model", "bfloat16"), ((int)Json("config.json")["eos_token_id"]!, (string?)Json("config.json")["_name_or_path"], (string?)Json("config.json")["torch_dtype"]));
        foreach (var name in (string[])["generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"])
            Assert.Equal(File.ReadAllText(Path.Combine(source.Path, name)), File.ReadAllText(Path.Combine(_folder.File("out"), name)));
        Assert.False(File.Exists(Path.Combine(_folder.File("out"), "notes.txt")));
    }

    [Fact]
    public void Old_weights_go_when_new_ones_are_there()
    {
        using var source = Source();
        void Write(long maxShard) => ModelWriter.Write(_folder.File("out"), source.Weights(), TensorType.F32, maxShard: maxShard);
        string[] Weights() => [.. Directory.GetFiles(_folder.File("out"), "*safetensors*").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];
        Write(long.MaxValue);
        Write(SmallShard);
        Assert.DoesNotContain("model.safetensors", Weights());
        var many = Weights().Length;
        Write(SmallShard * 3);
        Assert.InRange(Weights().Length, 3, many - 1);
        StoredModel.Open(_folder.File("out")).Dispose();
        Write(long.MaxValue);
        Assert.Equal(["model.safetensors"], Weights());
        StoredModel.Open(_folder.File("out")).Dispose();
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(SmallShard)]
    public void A_failure_keeps_what_was_there(long maxShard)
    {
        using var source = Source();
        ModelWriter.Write(_folder.File("out"), source.Weights(), TensorType.F32, maxShard: maxShard);
        string[] before = [.. Directory.GetFiles(_folder.File("out")).Order(StringComparer.Ordinal)];
        using var good = StoredModel.Open(_folder.File("out"));
        var fingerprint = good.Fingerprint;
        var weights = Tiny.Weights(Tiny.Odd);
        weights["model.norm.weight"][3] = 1e6f;
        var message = Assert.Throws<InvalidDataException>(() => ModelWriter.Write(_folder.File("out"), weights, TensorType.F16, maxShard: maxShard)).Message;
        Assert.Equal("Tensor 'model.norm.weight' has the value 1e+06, which F16 cannot hold; write BF16 or F32.", message);
        Assert.Equal(before, Directory.GetFiles(_folder.File("out")).Order(StringComparer.Ordinal));
        using var still = StoredModel.Open(_folder.File("out"));
        Assert.Equal(fingerprint, still.Fingerprint);
    }

    [Fact]
    public void A_folder_is_converted_in_place()
    {
        if (OperatingSystem.IsWindows()) return; // what is mapped cannot be replaced there
        string path;
        using (var source = Source())
        {
            path = source.Path;
            ModelWriter.Write(path, source.Weights(), TensorType.BF16, path);
        }

        using var model = StoredModel.Open(path);
        Assert.All(model.Tensors.Names, name => Assert.Equal(TensorType.BF16, model.Tensors[name].Type));
        Assert.True(File.Exists(Path.Combine(path, "tokenizer.json")));
    }

    [Fact]
    public void Another_shape_is_refused()
    {
        using var source = Source();
        Assert.Contains("another shape", Assert.Throws<ArgumentException>(() => ModelWriter.Write(_folder.File("out"), Tiny.Weights(Tiny.Even), TensorType.F32, source.Path)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ModelWriter.Write(_folder.File("out"), source.Weights(), TensorType.I64));
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Fact]
    public void Tensors_longer_than_a_part_are_whole()
    {
        float[] values = [.. Enumerable.Range(0, 600_001).Select(i => (float)i)];
        SafeTensorsWriter.Write(_folder.File("a"), [new("w", TensorType.F32, [values.Length], (start, part) => values.AsSpan((int)start, part.Length).CopyTo(part)), new("h", TensorType.BF16, [values.Length], () => values)]);
        using var file = SafeTensorsFile.Open(_folder.File("a"));
        Assert.Equal(values, file.Values("w"));
        Assert.Equal(values.Select(value => BFloat16.ToSingle(BFloat16.FromSingle(value))), file.Values("h"));
    }

    private StoredModel Source()
    {
        ModelFolder.Save(_folder.File("source"), Tiny.Weights(Tiny.Odd), Tiny.Tokenizer, StorageType.F32);
        return StoredModel.Open(_folder.File("source"));
    }

    private JsonObject Json(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(_folder.File("out"), name)))!.AsObject();
}
