using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Inference.Files;
using Deliberate.Inference.Tokenization;

namespace Deliberate.Inference.Models;

/// <summary>
/// A model in Hugging Face's layout: <c>config.json</c>, <c>model.safetensors</c> and <c>tokenizer.json</c> in one folder.
/// </summary>
/// <remarks>Immutable, so thread-safe.</remarks>
public sealed class ModelFolder
{
    private ModelFolder(string path, ModelWeights weights, BpeTokenizer tokenizer, string fingerprint) =>
        (Path, Weights, Tokenizer, Fingerprint) = (path, weights, tokenizer, fingerprint);

    /// <summary>Where it was read from.</summary>
    public string Path { get; }

    /// <summary>The parameters, in fp32.</summary>
    public ModelWeights Weights { get; }

    /// <summary>The tokenizer.</summary>
    public BpeTokenizer Tokenizer { get; }

    /// <summary>Names these parameters: the first 16 hex digits of a hash over shape and values.</summary>
    public string Fingerprint { get; }

    /// <summary>The same model with some added tokens of its tokenizer renamed.</summary>
    /// <exception cref="ArgumentException">They cannot be; see <see cref="BpeTokenizer.Rename"/>.</exception>
    public ModelFolder WithTokens(IReadOnlyDictionary<string, string> names) => new(Path, Weights, Tokenizer.Rename(names), Fingerprint);

    /// <summary>Reads a model.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or does not fit the others; the message names file and tensor.</exception>
    public static ModelFolder Load(string path)
    {
        string File(string name) => System.IO.Path.Combine(path, name) is var file && System.IO.File.Exists(file) ? file
            : throw new FileNotFoundException($"{path}: the model folder has no {name}.", name);
        var config = ReadConfig(File("config.json"));
        var file = File("model.safetensors");
        var (tensors, _) = SafeTensors.Read(file);
        foreach (var (name, shape) in config.Tensors())
        {
            if (!tensors.TryGetValue(name, out var tensor)) throw new InvalidDataException($"{file}: tensor '{name}' is missing.");
            if (!tensor.Shape.SequenceEqual(shape.Select(size => (long)size)))
                throw new InvalidDataException($"{file}: tensor '{name}' has shape [{string.Join(", ", tensor.Shape)}]; config.json asks for [{string.Join(", ", shape)}].");
        }

        // Only now, so that a damaged config.json cannot ask for more memory than the file holds.
        var weights = new ModelWeights(config);
        foreach (var (name, _) in config.Tensors()) tensors[name].Values.CopyTo(weights[name], 0);
        var tokenizer = BpeTokenizer.Load(File("tokenizer.json"));
        if (tokenizer.VocabSize > config.VocabSize)
            throw new InvalidDataException($"{path}: tokenizer.json has {tokenizer.VocabSize} tokens, config.json allows {config.VocabSize}.");
        return new(path, weights, tokenizer, FingerprintOf(weights));
    }

    /// <summary>Writes a model; each file appears whole or not at all.</summary>
    public static void Save(string path, ModelWeights weights, BpeTokenizer tokenizer, StorageType type, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(tokenizer);
        Directory.CreateDirectory(path);
        var c = weights.Config;
        var config = new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"),
            ["model_type"] = "llama",
            ["vocab_size"] = c.VocabSize,
            ["hidden_size"] = c.HiddenSize,
            ["num_hidden_layers"] = c.Layers,
            ["num_attention_heads"] = c.Heads,
            ["num_key_value_heads"] = c.KvHeads,
            ["head_dim"] = c.HeadDim,
            ["intermediate_size"] = c.FeedForward,
            ["max_position_embeddings"] = c.MaxPositions,
            ["rope_theta"] = c.RopeTheta,
            ["rms_norm_eps"] = c.RmsNormEps,
            ["tie_word_embeddings"] = c.TieEmbeddings,
            ["hidden_act"] = "silu",
            ["torch_dtype"] = type == StorageType.F32 ? "float32" : "bfloat16",
        };
        AtomicFile.Write(System.IO.Path.Combine(path, "config.json"), stream => JsonSerializer.Serialize(stream, config, Indented));
        tokenizer.Save(System.IO.Path.Combine(path, "tokenizer.json"));
        SafeTensors.Write(System.IO.Path.Combine(path, "model.safetensors"),
            c.Tensors().Select(tensor => (tensor.Name, (IReadOnlyList<long>)[.. tensor.Shape.Select(size => (long)size)], weights[tensor.Name])), type, metadata);
    }

    private const int MaxLayers = 10_000;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static ModelConfig ReadConfig(string file)
    {
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(file));
            root = document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{file}: not valid JSON: {OneLine.Of(e.Message)}", e);
        }

        if (root.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{file}: not a JSON object.");
        int Number(string name, int? otherwise = null) =>
            root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number > 0 ? number
            : otherwise is { } standard && value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? standard
            : throw new InvalidDataException($"{file}: field '{name}' is missing or no positive number.");
        float Real(string name, float otherwise) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetSingle() : otherwise;
        var heads = Number("num_attention_heads");
        var hidden = Number("hidden_size");
        var config = new ModelConfig
        {
            VocabSize = Number("vocab_size"),
            HiddenSize = hidden,
            Layers = Number("num_hidden_layers"),
            Heads = heads,
            KvHeads = Number("num_key_value_heads", heads),
            HeadDim = Number("head_dim", hidden / heads),
            FeedForward = Number("intermediate_size"),
            MaxPositions = Number("max_position_embeddings"),
            RopeTheta = Real("rope_theta", 10_000),
            RmsNormEps = Real("rms_norm_eps", 1e-5f),
            TieEmbeddings = root.TryGetProperty("tie_word_embeddings", out var tie) && tie.ValueKind == JsonValueKind.True,
        };
        if (config.Heads % config.KvHeads != 0) throw new InvalidDataException($"{file}: num_key_value_heads ({config.KvHeads}) does not divide num_attention_heads ({config.Heads}).");
        if (config.HeadDim == 0 || config.HeadDim % 2 != 0) throw new InvalidDataException($"{file}: head_dim is {config.HeadDim}; rotary positions need an even one.");
        if (config.Layers > MaxLayers) throw new InvalidDataException($"{file}: num_hidden_layers is {config.Layers}; at most {MaxLayers} are read.");
        return config;
    }

    /// <summary>The fingerprint of parameters in memory.</summary>
    public static string FingerprintOf(ModelWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(weights.Config.ToString()));
        foreach (var (name, _) in weights.Config.Tensors())
        {
            var values = weights[name];
            var bytes = new byte[values.Length * sizeof(float)];
            for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), values[i]);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
