using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Deliberate.Inference.Files;
using Deliberate.Inference.Tokenization;
using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Models;

/// <summary>
/// A model in Hugging Face's layout: <c>config.json</c>, weights in one or more files and <c>tokenizer.json</c> in one folder, read into memory. <see cref="StoredModel"/> maps it instead.
/// </summary>
/// <remarks>Immutable, so thread-safe.</remarks>
public sealed class ModelFolder
{
    private ModelFolder(string path, ModelWeights weights, BpeTokenizer tokenizer, string fingerprint, IReadOnlyList<int> stops) =>
        (Path, Weights, Tokenizer, Fingerprint, StopTokens) = (path, weights, tokenizer, fingerprint, stops);

    /// <summary>Where it was read from.</summary>
    public string Path { get; }

    /// <summary>The parameters, in fp32.</summary>
    public ModelWeights Weights { get; }

    /// <summary>The tokenizer.</summary>
    public BpeTokenizer Tokenizer { get; }

    /// <summary>Names these parameters: the first 16 hex digits of a hash over shape and values.</summary>
    public string Fingerprint { get; }

    /// <summary>Tokens that end a text, where the folder names some; see <see cref="StoredModel.StopTokens"/>.</summary>
    public IReadOnlyList<int> StopTokens { get; }

    /// <summary>The same model with some added tokens of its tokenizer renamed.</summary>
    /// <exception cref="ArgumentException">They cannot be; see <see cref="BpeTokenizer.Rename"/>.</exception>
    public ModelFolder WithTokens(IReadOnlyDictionary<string, string> names) => new(Path, Weights, Tokenizer.Rename(names), Fingerprint, StopTokens);

    /// <summary>Reads a model.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or does not fit the others; the message names file and tensor.</exception>
    public static ModelFolder Load(string path)
    {
        string File(string name) => System.IO.Path.Combine(path, name) is var file && System.IO.File.Exists(file) ? file
            : throw new FileNotFoundException($"{path}: the model folder has no {name}.", name);
        using var stored = StoredModel.Open(path);
        var config = stored.Config;
        // Only now, so that a damaged config.json cannot ask for more memory than the file holds.
        var weights = new ModelWeights(config);
        foreach (var (name, _) in config.Tensors()) stored.Tensors.FileOf(name).Read(name, 0, weights[name]);
        var tokenizer = BpeTokenizer.Load(File("tokenizer.json"));
        if (tokenizer.VocabSize > config.VocabSize)
            throw new InvalidDataException($"{path}: tokenizer.json has {tokenizer.VocabSize} tokens, config.json allows {config.VocabSize}.");
        return new(path, weights, tokenizer, FingerprintOf(weights), stored.StopTokens);
    }

    /// <summary>Writes a model; each file appears whole or not at all.</summary>
    public static void Save(string path, ModelWeights weights, BpeTokenizer tokenizer, StorageType type, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(tokenizer);
        Directory.CreateDirectory(path);
        var stored = type == StorageType.F32 ? TensorType.F32 : TensorType.BF16;
        AtomicFile.Write(System.IO.Path.Combine(path, "config.json"), stream => JsonSerializer.Serialize(stream, ConfigWriter.ToJson(weights.Config, stored), Indented));
        tokenizer.Save(System.IO.Path.Combine(path, "tokenizer.json"));
        SafeTensors.Write(System.IO.Path.Combine(path, "model.safetensors"),
            weights.Config.Tensors().Select(tensor => (tensor.Name, (IReadOnlyList<long>)[.. tensor.Shape.Select(size => (long)size)], weights[tensor.Name])), type, metadata);
    }

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The fingerprint of parameters.</summary>
    public static string FingerprintOf(ModelWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(weights.Config.ToString()));
        var part = new float[1 << 16];
        foreach (var (name, shape) in weights.Config.Tensors())
        {
            var count = shape.Aggregate(1L, (product, size) => product * size);
            for (long start = 0; start < count; start += part.Length)
            {
                var values = part.AsSpan(0, (int)Math.Min(part.Length, count - start));
                weights.Read(name, start, values);
                hash.AppendData(MemoryMarshal.AsBytes(values));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
