using System.Text;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;
using Deliberate.Inference.Weights.Gguf;
using Xunit;

namespace Deliberate.Inference.Tests.Weights;

/// <summary>Damaged files open, or fail with one line that names the file. Anything else escapes and shows the bytes that broke it.</summary>
public sealed class FileFuzzTests : IDisposable
{
    private const int Few = 2_000;
    private const int Many = 100_000;

    private static readonly ModelConfig[] Configs =
    [
        Tiny.Odd,
        Tiny.Odd with { Family = ModelFamily.Gemma3, Activation = Activation.GeluTanh, LocalRopeTheta = 5, QueryScalar = 4, SlidingWindow = 3, SlidingLayers = new([0]) },
        Tiny.Odd with { Family = ModelFamily.Qwen2, RopeScaling = new() { Type = RopeScalingType.Yarn, Factor = 2, OriginalPositions = 4 } },
        Tiny.Odd with { Family = ModelFamily.Gemma2, Activation = Activation.GeluTanh, QueryScalar = 4, AttentionSoftcap = 50, LogitSoftcap = 30 },
        Tiny.Odd with { Family = ModelFamily.SmolLM3, NoRopeLayers = new([1]), RopeScaling = new() { Type = RopeScalingType.Llama3, Factor = 8, OriginalPositions = 64, LowFrequency = 1, HighFrequency = 4 } },
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Safetensors_headers() => Fuzz(SafeTensorsSeeds(), ReadSafeTensors, Few);

    [Fact(Explicit = true)]
    public void A_hundred_thousand_safetensors_headers() => Fuzz(SafeTensorsSeeds(), ReadSafeTensors, Many);

    [Fact]
    public void Configurations() => Fuzz(ConfigSeeds(), ReadConfig, Few);

    [Fact(Explicit = true)]
    public void A_hundred_thousand_configurations() => Fuzz(ConfigSeeds(), ReadConfig, Many);

    [Fact]
    public void Indexes() => Fuzz(IndexSeeds(), ReadIndex, Few);

    [Fact(Explicit = true)]
    public void A_hundred_thousand_indexes() => Fuzz(IndexSeeds(), ReadIndex, Many);

    [Fact]
    public void Tokenizers_looked_into() => Fuzz(TokenizerSeeds(), file => InspectedTokenizer.Of(file), Few);

    [Fact(Explicit = true)]
    public void A_hundred_thousand_tokenizers_looked_into() => Fuzz(TokenizerSeeds(), file => InspectedTokenizer.Of(file), Many);

    [Fact]
    public void Gguf_headers() => Fuzz(GgufSeeds(), ReadGguf, Few);

    [Fact(Explicit = true)]
    public void A_hundred_thousand_gguf_headers() => Fuzz(GgufSeeds(), ReadGguf, Many);

    private static byte[][] SafeTensorsSeeds() =>
    [
        SafeTensorsFileTests.Build("""{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}""", new byte[32]),
        SafeTensorsFileTests.Build("""{"x":{"dtype":"F8_E4M3","shape":[],"data_offsets":[0,1]},"y":{"dtype":"BOOL","shape":[0,3],"data_offsets":[1,1]},"z":{"dtype":"I64","shape":[1,1],"data_offsets":[1,9]}}""", new byte[9]),
    ];

    private static byte[][] ConfigSeeds() => [.. Configs.Select(config => Encoding.UTF8.GetBytes(ConfigWriter.ToJson(config, TensorType.BF16).ToJsonString())), Encoding.UTF8.GetBytes(
        """{"model_type":"llama","vocab_size":9,"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":2,"intermediate_size":8,"max_position_embeddings":9,"dtype":"float32","rope_parameters":{"rope_type":"llama3","rope_theta":10000.0,"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8}}""")];

    private static byte[][] IndexSeeds() => ["""{"metadata":{"total_size":8},"weight_map":{"a":"s.safetensors","b":"s.safetensors"}}"""u8.ToArray()];

    private static byte[][] TokenizerSeeds() => ["""{"added_tokens":[{"id":3,"content":"<s>"}],"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}}"""u8.ToArray(), """{"model":{"type":"Unigram","vocab":[["a",-1.5],["b",0]]}}"""u8.ToArray()];

    private static byte[][] GgufSeeds() => [.. GgufSample.All];

    private static void ReadSafeTensors(string path)
    {
        using var file = SafeTensorsFile.Open(path);
        foreach (var tensor in file.Tensors.Values)
        {
            Assert.Equal(tensor.Length, file.Bytes(tensor.Name).Length);
            Assert.Equal(tensor.Count, tensor.Shape.Aggregate(1L, (product, size) => product * size));
            if (tensor.Type.FitsSingle()) Assert.Equal(tensor.Count, file.Values(tensor.Name).Length);
        }
    }

    private static void ReadConfig(string path)
    {
        var config = ConfigFile.Read(path);
        Assert.All(config.Tensors().Take(50), tensor => Assert.All(tensor.Shape, size => Assert.True(size > 0)));
        if (config.HeadDim < 10_000) Assert.All(config.RopeOf(0)?.Inverse ?? [], value => Assert.False(float.IsNaN(value)));
        _ = ConfigWriter.ToJson(config, TensorType.F32).ToJsonString();
    }

    private void ReadIndex(string path)
    {
        // Files that it names may not be there; that is for whoever opens them.
        foreach (var file in TensorFolder.Shards(path)) Assert.Equal(_folder.Path, Path.GetDirectoryName(_folder.File(file)));
    }

    private static void ReadGguf(string path)
    {
        using var file = GgufFile.Open(path);
        foreach (var tensor in file.Tensors.Values) Assert.Equal(tensor.Count, file.Values(tensor.Name).Length);
        _ = GgufConfig.Read(file);
        _ = GgufTokenizer.Read(file);
    }

    private void Fuzz(byte[][] seeds, Action<string> read, int count)
    {
        var (random, opened, refused) = (new Random(count), 0, 0);
        var path = _folder.File("damaged");
        for (var i = 0; i < count; i++)
        {
            var bytes = Mutation.Of(seeds[random.Next(seeds.Length)], random);
            File.WriteAllBytes(path, bytes);
            try
            {
                read(path);
                opened++;
            }
            catch (InvalidDataException error) when (error.Message.StartsWith(path, StringComparison.Ordinal) && !error.Message.Any(char.IsControl) && error.Message.Length < 1_000)
            {
                refused++;
            }
#pragma warning disable CA1031 // the bytes that broke it are what the failure must show
            catch (Exception error)
            {
                Assert.Fail($"case {i}: {error}\n{Convert.ToBase64String(bytes)}");
            }
#pragma warning restore CA1031
        }

        TestContext.Current.SendDiagnosticMessage($"{opened} opened, {refused} refused");
        Assert.True(opened > 0 && refused > 0);
    }
}
