using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Xunit;

namespace Deliberate.Inference.Tests.Models;

public sealed class ModelInspectionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_is_described_without_reading_its_weights()
    {
        Save();
        File.WriteAllText(_folder.File("tokenizer_config.json"), """{"chat_template":"{{ messages }}"}""");
        var model = ModelInspection.Of(_folder.Path);
        var parameters = Tiny.Weights(Tiny.Odd).Parameters;
        Assert.Equal((_folder.Path, Tiny.Odd, parameters, 2 * parameters), (model.Path, model.Config, model.Parameters, model.Bytes));
        Assert.Equal([new("BF16", Tiny.Odd.Tensors().Count(), 2 * parameters)], model.Types);
        Assert.Equal(["model.safetensors"], model.Files);
        Assert.Equal((new("BPE", Tiny.Tokenizer.VocabSize), true), (model.Tokenizer, model.HasChatTemplate));
        var first = model.Tensors[0];
        Assert.Equal(("model.embed_tokens.weight", "BF16", "model.safetensors"), (first.Name, first.Type, first.File));
        Assert.Equal([300, 40], first.Shape);
        Assert.Matches("^[0-9a-f]{16}$", model.Fingerprint);
        // Two layers of one head of six, keys and values in fp32.
        Assert.Equal(96, model.CacheBytesPerToken);
        Assert.Equal((2 * parameters + 9_600, 4 * parameters), (model.MemoryToGenerate(TensorType.BF16, 100), model.MemoryToGenerate(TensorType.F32, 0)));
    }

    [Fact]
    public void The_fingerprint_sees_weights_types_tokenizer_and_template_but_not_the_split()
    {
        Save();
        string Now()
        {
            using var model = StoredModel.Open(_folder.Path);
            return model.Fingerprint;
        }

        void Write(ModelWeights weights, TensorType type, long maxShard) => ModelWriter.Write(_folder.Path, weights, type, _folder.Path, maxShard);
        var first = Now();
        Assert.Equal(first, Now());
        Write(Tiny.Weights(Tiny.Odd), TensorType.BF16, 20_000);
        Assert.Equal(first, Now());
        Write(Tiny.Weights(Tiny.Odd, seed: 2), TensorType.BF16, 20_000);
        var other = Now();
        Write(Tiny.Weights(Tiny.Odd), TensorType.F32, long.MaxValue);
        var wide = Now();
        File.WriteAllText(_folder.File("chat_template.jinja"), "{{ messages }}");
        var template = Now();
        File.AppendAllText(_folder.File("tokenizer.json"), " ");
        Assert.Equal(5, new HashSet<string> { first, other, wide, template, Now() }.Count);
    }

    [Fact]
    public void Shards_are_listed()
    {
        var model = ModelInspection.Of(Fixtures.Model("qwen3"));
        Assert.Equal(10, model.Files.Count);
        Assert.Equal((ModelFamily.Qwen3, null, false), (model.Config.Family, model.Tokenizer, model.HasChatTemplate));
        Assert.Equal(model.Tensors.Select(tensor => tensor.File).Distinct().Order(StringComparer.Ordinal), model.Files);
    }

    [Theory]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0,"b":1}},"added_tokens":[{"id":1,"content":"b"},{"id":4,"content":"c"}]}""", "BPE", 3)]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":[]}}""", "BPE", 1)]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",-1],["b",-2]]}}""", "Unigram", 2)]
    public void A_tokenizer_is_looked_into(string json, string kind, int vocabulary)
    {
        File.WriteAllText(_folder.File("tokenizer.json"), json);
        Assert.Equal(new(kind, vocabulary), InspectedTokenizer.Of(_folder.File("tokenizer.json")));
    }

    [Theory]
    [InlineData("[]", "field 'model' is missing")]
    [InlineData("{", "not valid JSON")]
    [InlineData("""{"model":{"type":"BPE"}}""", "field 'model.vocab' is missing")]
    [InlineData("""{"model":{"vocab":{}},"added_tokens":[{"id":-1}]}""", "no number from 0 on")]
    [InlineData("""{"model":{"vocab":{}},"added_tokens":[7]}""", "has no id")]
    [InlineData("""{"model":{"vocab":{},"type":"\ud800"}}""", "not valid JSON")]
    public void A_damaged_tokenizer_is_one_clear_error(string json, string expected)
    {
        Save();
        File.WriteAllText(_folder.File("tokenizer.json"), json);
        var message = Assert.Throws<InvalidDataException>(() => ModelInspection.Of(_folder.Path)).Message;
        Assert.StartsWith(_folder.File("tokenizer.json") + ": ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_file_is_no_model()
    {
        File.WriteAllText(_folder.File("a.gguf"), "GGUF");
        Assert.Contains("model import", Assert.Throws<InvalidDataException>(() => ModelInspection.Of(_folder.File("a.gguf"))).Message, StringComparison.Ordinal);
    }

    private void Save() => ModelFolder.Save(_folder.Path, Tiny.Weights(Tiny.Odd), Tiny.Tokenizer, StorageType.BF16);
}
