using System.Text.Json.Nodes;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Xunit;

namespace Deliberate.Inference.Tests.Models;

public sealed class ConfigFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Families => ["llama2", "llama3", "llama-linear", "smollm2", "smollm3", "mistral", "mistral-head", "qwen2", "qwen2-yarn", "qwen3", "gemma2", "gemma3", "phi3", "olmo2"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public void Both_generations_give_one_record_and_it_survives_writing(string family)
    {
        var config = ConfigFile.Read(Path.Combine(Fixtures.Model(family), "config.json"));
        Assert.Equal(config, ConfigFile.Read(Path.Combine(Fixtures.Model(family), "config.v4.json")));
        File.WriteAllText(_folder.File("config.json"), ConfigWriter.ToJson(config, TensorType.BF16).ToJsonString());
        Assert.Equal(config, ConfigFile.Read(_folder.File("config.json")));
        Assert.Equal(config.ToString(), ConfigFile.Read(_folder.File("config.json")).ToString());
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void The_tensors_are_those_of_the_files(string family)
    {
        using var model = StoredModel.Open(Fixtures.Model(family));
        Assert.Equal(model.Tensors.Names.Order(StringComparer.Ordinal), model.Config.Tensors().Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
        Assert.Equal([2], model.StopTokens);
    }

    [Fact]
    public void Options_of_the_families_are_read()
    {
        ModelConfig Of(string family) => ConfigFile.Read(Path.Combine(Fixtures.Model(family), "config.v4.json"));
        var gemma3 = Of("gemma3");
        Assert.Equal((10_000f, 1_000_000f, 12, "0,1,2,3,4", 1f, Activation.GeluTanh, QueryKeyNorm.Head, NormPlacement.Sandwich), (gemma3.LocalRopeTheta, gemma3.RopeTheta, gemma3.SlidingWindow, gemma3.SlidingLayers.ToString(), gemma3.NormOffset, gemma3.Activation, gemma3.QueryKeyNorm, gemma3.NormPlacement));
        Assert.Equal((null, null, 24f, MathF.Sqrt(48)), (gemma3.AttentionSoftcap, gemma3.LogitSoftcap, gemma3.QueryScalar, gemma3.EmbeddingScale));
        Assert.Equal((12, null), (gemma3.WindowOf(0), gemma3.WindowOf(5)));
        var gemma2 = Of("gemma2");
        Assert.Equal((50f, 30f, "0,2"), (gemma2.AttentionSoftcap, gemma2.LogitSoftcap, gemma2.SlidingLayers.ToString()));
        Assert.Equal("3", Of("smollm3").NoRopeLayers.ToString());
        Assert.Null(Of("smollm3").RopeOf(3));
        Assert.Equal((12, "0,1,2"), (Of("mistral").SlidingWindow, Of("mistral").SlidingLayers.ToString()));
        Assert.Equal((null, 20), (Of("mistral-head").SlidingWindow, Of("mistral-head").HeadDim));
        Assert.Equal((true, false), (Of("qwen2").QkvBias, Of("qwen2").OutputBias));
        Assert.Equal((true, true, true), (Of("llama-linear").QkvBias, Of("llama-linear").OutputBias, Of("llama-linear").MlpBias));
        Assert.True(Of("phi3").FusedProjections);
        Assert.Equal((NormPlacement.After, QueryKeyNorm.Projection), (Of("olmo2").NormPlacement, Of("olmo2").QueryKeyNorm));
    }

    [Fact]
    public void A_mixture_of_experts_is_refused_by_name()
    {
        var message = Assert.Throws<InvalidDataException>(() => ConfigFile.Read(Path.Combine(Fixtures.Model("qwen3-moe"), "config.json"))).Message;
        Assert.Contains("'qwen3_moe', a mixture of experts", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("quantization_config", """{"bits":4}""")]
    [InlineData("some_new_option", "2")]
    [InlineData("rope_scaling", """{"rope_type":"longrope","factor":2}""")]
    [InlineData("rope_scaling", """{"rope_type":"linear"}""")]
    [InlineData("rope_scaling", """{"type":"dynamic","factor":2}""")]
    [InlineData("rope_scaling", """{"rope_type":"linear","factor":2,"beta_fast":3}""")]
    [InlineData("partial_rotary_factor", "0.5")]
    [InlineData("hidden_act", "\"gelu\"")]
    [InlineData("model_type", "\"gpt2\"")]
    [InlineData("model_type", "null")]
    [InlineData("attention_bias", "1")]
    [InlineData("rms_norm_eps", "\"x\"")]
    [InlineData("layer_types", """["full_attention"]""")]
    [InlineData("layer_types", """["full_attention","linear_attention"]""")]
    [InlineData("sliding_window", "12")]
    public void What_changes_the_maths_is_refused_by_name(string field, string value)
    {
        var json = Llama();
        json[field] = JsonNode.Parse(value);
        var path = Write(json.ToJsonString());
        var message = Assert.Throws<InvalidDataException>(() => ConfigFile.Read(path)).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(field == "layer_types" || field != "rope_scaling" ? field : "rope_scaling.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_is_ignored()
    {
        var plain = ConfigFile.Read(Write(Llama().ToJsonString()));
        var json = Llama();
        foreach (var (name, value) in new (string, string)[] { ("_name_or_path", "\"x\""), ("use_cache", "true"), ("pretraining_tp", "1"), ("quantization_config", "null"), ("rope_interleaved", "false"), ("is_llama_config", "true"), ("transformers.js_config", "{}"), ("rope_scaling", """{"type":"default"}""") }) json[name] = JsonNode.Parse(value);
        Assert.Equal(plain, ConfigFile.Read(Write(json.ToJsonString())));
    }

    [Fact]
    public void Text_of_a_plain_model_stays_as_it_was()
    {
        // Fingerprints of models made before there were families hash this text.
        Assert.Equal("ModelConfig { VocabSize = 300, HiddenSize = 40, Layers = 2, Heads = 3, KvHeads = 1, HeadDim = 6, FeedForward = 50, MaxPositions = 200, RopeTheta = 10000, RmsNormEps = 1E-05, TieEmbeddings = True }", Tiny.Odd.ToString());
        Assert.Contains("LocalRopeTheta = 5", (Tiny.Odd with { LocalRopeTheta = 5 }).ToString(), StringComparison.Ordinal);
    }

    private static JsonObject Llama() => ConfigWriter.ToJson(Tiny.Odd, TensorType.F32);

    private string Write(string text)
    {
        File.WriteAllText(_folder.File("config.json"), text);
        return _folder.File("config.json");
    }
}
