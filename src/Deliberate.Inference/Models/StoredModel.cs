using System.Text.Json;
using Deliberate.Inference.Files;
using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Models;

/// <summary>
/// A model's folder in Hugging Face's layout, opened and checked but not read: <c>config.json</c>, one or more weight files and, where
/// there is one, <c>generation_config.json</c>. Weights stay mapped as they are stored until someone asks for values.
/// </summary>
/// <remarks>Thread-safe. Weights it gave must not be read after it is disposed.</remarks>
public sealed class StoredModel : IDisposable
{
    private readonly Lazy<string> _fingerprint;

    private StoredModel(string path, ModelConfig config, TensorFolder tensors, IReadOnlyList<int> stops) =>
        (Path, Config, Tensors, StopTokens, _fingerprint) = (path, config, tensors, stops, new(() => StoredFingerprint.Of(this)));

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>The tensors as stored.</summary>
    public TensorFolder Tensors { get; }

    /// <summary>Tokens that end a text: <c>eos_token_id</c> of <c>generation_config.json</c>, else of <c>config.json</c>.</summary>
    public IReadOnlyList<int> StopTokens { get; }

    /// <summary>
    /// Names what the folder holds, in 16 hex digits, without reading all of it: shape, names and types, samples of every tensor, tokenizer and chat
    /// template. Another split into files gives the same.
    /// </summary>
    /// <remarks>It tells checkpoints apart; it is no seal against someone who changes single values. <see cref="ModelFolder.FingerprintOf"/> reads every value.</remarks>
    public string Fingerprint => _fingerprint.Value;

    /// <summary>Opens a folder and checks every tensor by name and shape.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or the files do not fit; the message names file, field or tensor.</exception>
    public static StoredModel Open(string path)
    {
        var file = System.IO.Path.Combine(path, "config.json");
        if (!File.Exists(file)) throw new FileNotFoundException($"{path}: the model folder has no config.json.", "config.json");
        var config = ConfigFile.Read(file);
        var tensors = TensorFolder.Open(path);
        try
        {
            Check(config, tensors);
            return new(path, config, tensors, Stops(path, config.VocabSize));
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    /// <summary>The weights, converted to fp32 tensor by tensor when first asked for.</summary>
    public ModelWeights Weights() => new(Config, Tensors);

    /// <inheritdoc/>
    public void Dispose() => Tensors.Dispose();

    private static void Check(ModelConfig config, TensorFolder tensors)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, shape) in config.Tensors())
        {
            known.Add(name);
            if (!tensors.Contains(name)) throw new InvalidDataException($"{(tensors.Files.Count == 1 ? tensors.Files.First().Path : tensors.Path)}: tensor '{name}' is missing.");
            var (file, stored) = (tensors.FileOf(name).Path, tensors[name]);
            if (!stored.Shape.SequenceEqual(shape.Select(size => (long)size)))
                throw new InvalidDataException($"{file}: tensor '{name}' has shape [{string.Join(", ", stored.Shape)}]; config.json asks for [{string.Join(", ", shape)}].");
            if (stored.Type is not (TensorType.F32 or TensorType.F16 or TensorType.BF16))
                throw new InvalidDataException($"{file}: tensor '{name}' has dtype {stored.Type.HeaderName()}; weights are F32, F16 or BF16.");
        }

        foreach (var name in tensors.Names)
        {
            // Old files carry the rotary frequencies; tied ones may carry the embedding a second time. Neither is read.
            var ignored = name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (config.TieEmbeddings && name == "lm_head.weight");
            if (!known.Contains(name) && !ignored) throw new InvalidDataException(OneLine.Of($"{tensors.FileOf(name).Path}: tensor '{name}' belongs to no part of the model that config.json describes."));
        }
    }

    private static IReadOnlyList<int> Stops(string path, int vocabulary)
    {
        foreach (var name in (string[])["generation_config.json", "config.json"])
        {
            var file = System.IO.Path.Combine(path, name);
            if (!File.Exists(file)) continue;
            try
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(file));
                if (document.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{file}: not a JSON object.");
                if (!document.RootElement.TryGetProperty("eos_token_id", out var eos) || eos.ValueKind == JsonValueKind.Null) continue;
                int Id(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id >= 0 && id < vocabulary ? id
                    : throw new InvalidDataException($"{file}: field 'eos_token_id' holds something that is no token of the model's {vocabulary}.");
                return eos.ValueKind == JsonValueKind.Array ? [.. eos.EnumerateArray().Select(Id)] : [Id(eos)];
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException)
            {
                throw new InvalidDataException($"{file}: not valid JSON: {OneLine.Of(error.Message)}", error);
            }
        }

        return [];
    }
}
