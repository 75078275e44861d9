using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Inference.Files;
using Deliberate.Inference.Weights;

namespace Deliberate.Inference.Models;

/// <summary>Writes models of any size as transformers does: weights are read, converted and written part by part, so the model need not fit in memory.</summary>
public static class ModelWriter
{
    /// <summary>Bytes of data a file holds at most unless told otherwise, as in transformers: 5 GB.</summary>
    public const long DefaultShard = 5_000_000_000;

    private static readonly string[] Companions = ["generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes <c>config.json</c> and the weights, in one file or in shards with an index, and copies what else belongs to the model.</summary>
    /// <param name="folder">Where to; may be the folder that the weights come from.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="type">F32, F16 or BF16; values are rounded to nearest even.</param>
    /// <param name="from">
    /// The folder of the model that these weights were made from: its <c>config.json</c> is kept but for the type, and tokenizer, chat template and generation settings
    /// are copied. Without, <c>config.json</c> is written anew and nothing is copied.
    /// </param>
    /// <param name="maxShard">Bytes of data above which weights are split over files.</param>
    /// <param name="metadata">Texts for the header of every weight file, beside <c>format</c>, which transformers asks for.</param>
    /// <exception cref="ArgumentException"><paramref name="type"/> is another, or the model in <paramref name="from"/> has another shape.</exception>
    /// <exception cref="InvalidDataException">F16 cannot hold a value; the folder keeps the weights it had.</exception>
    public static void Write(string folder, ModelWeights weights, TensorType type = TensorType.BF16, string? from = null, long maxShard = DefaultShard, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (type is not (TensorType.F32 or TensorType.F16 or TensorType.BF16)) throw new ArgumentException($"{type} is not written; F32, F16 and BF16 are.", nameof(type));
        var config = Config(weights.Config, type, from);
        var header = new Dictionary<string, string>(metadata ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        header.TryAdd("format", "pt");
        SafeTensorsWriter.WriteModel(folder, weights.Config.Tensors().Select(tensor => new TensorToWrite(tensor.Name, type, [.. tensor.Shape.Select(size => (long)size)],
            (start, values) => weights.Read(tensor.Name, start, values))), maxShard, header);
        AtomicFile.Write(Path.Combine(folder, "config.json"), stream => JsonSerializer.Serialize(stream, config, Indented));
        if (from is null || Path.GetFullPath(from) == Path.GetFullPath(folder)) return;
        foreach (var name in Companions)
        {
            if (!File.Exists(Path.Combine(from, name))) continue;
            using var source = File.OpenRead(Path.Combine(from, name));
            AtomicFile.Write(Path.Combine(folder, name), source.CopyTo);
        }
    }

    private static JsonObject Config(ModelConfig config, TensorType type, string? from)
    {
        var written = ConfigWriter.ToJson(config, type);
        if (from is null) return written;
        var file = Path.Combine(from, "config.json");
        if (ConfigFile.Read(file) != config) throw new ArgumentException($"{file}: the model has another shape than the weights.", nameof(from));
        var kept = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        kept[kept.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = (string?)written["torch_dtype"];
        return kept;
    }
}
