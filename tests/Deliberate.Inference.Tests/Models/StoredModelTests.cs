using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Xunit;

namespace Deliberate.Inference.Tests.Models;

public sealed class StoredModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Weights_stay_as_stored_until_they_are_asked_for()
    {
        var weights = Tiny.Weights(Tiny.Odd);
        ModelFolder.Save(_folder.Path, weights, Tiny.Tokenizer, StorageType.BF16);
        using var model = StoredModel.Open(_folder.Path);
        var lazy = model.Weights();
        Assert.Equal(weights.Parameters, lazy.Parameters);
        Assert.True(lazy.Stored("model.norm.weight", out var type, out var bytes));
        Assert.Equal((TensorType.BF16, 80), (type, bytes.Length));
        var part = new float[3];
        lazy.Read("model.norm.weight", 5, part);
        Assert.True(lazy.Stored("model.norm.weight", out _, out _));
        Assert.Equal(lazy["model.norm.weight"][5..8], part);
        Assert.False(lazy.Stored("model.norm.weight", out _, out _));
        Assert.Same(lazy["model.norm.weight"], lazy["model.norm.weight"]);
        Assert.Throws<KeyNotFoundException>(() => lazy["x"]);
        Assert.Equal(ModelFolder.Load(_folder.Path).Fingerprint, ModelFolder.FingerprintOf(model.Weights()));
    }

    [Fact]
    public void A_surplus_tensor_is_named()
    {
        Write(["model.layers.0.self_attn.q_proj.bias"]);
        var message = Assert.Throws<InvalidDataException>(() => StoredModel.Open(_folder.Path)).Message;
        Assert.Contains("'model.layers.0.self_attn.q_proj.bias' belongs to no part", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tensors_that_old_files_carry_are_passed_over()
    {
        Write(["lm_head.weight", "model.layers.0.self_attn.rotary_emb.inv_freq"]);
        using var model = StoredModel.Open(_folder.Path);
        Assert.Empty(model.StopTokens);
    }

    [Theory]
    [InlineData("""{"eos_token_id":[2,5]}""", new[] { 2, 5 })]
    [InlineData("""{"eos_token_id":7}""", new[] { 7 })]
    [InlineData("""{}""", new int[0])]
    public void Stop_tokens_are_those_of_the_generation_config(string json, int[] expected)
    {
        Write([]);
        File.WriteAllText(_folder.File("generation_config.json"), json);
        using var model = StoredModel.Open(_folder.Path);
        Assert.Equal(expected, model.StopTokens);
    }

    [Theory]
    [InlineData("""{"eos_token_id":300}""")]
    [InlineData("""{"eos_token_id":"x"}""")]
    [InlineData("""{"eos_token_id":[-1]}""")]
    [InlineData("[]")]
    [InlineData("{")]
    public void A_damaged_generation_config_is_named(string json)
    {
        Write([]);
        File.WriteAllText(_folder.File("generation_config.json"), json);
        Assert.StartsWith(_folder.File("generation_config.json"), Assert.Throws<InvalidDataException>(() => StoredModel.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private void Write(string[] more)
    {
        File.WriteAllText(_folder.File("config.json"), ConfigWriter.ToJson(Tiny.Odd, TensorType.F32).ToJsonString());
        var weights = Tiny.Weights(Tiny.Odd);
        SafeTensorsWriter.Write(_folder.File("model.safetensors"),
        [
            .. Tiny.Odd.Tensors().Select(tensor => new TensorToWrite(tensor.Name, TensorType.F32, [.. tensor.Shape.Select(size => (long)size)], () => weights[tensor.Name])),
            .. more.Select(name => new TensorToWrite(name, TensorType.F32, [2], () => [1, 2])),
        ]);
    }
}
