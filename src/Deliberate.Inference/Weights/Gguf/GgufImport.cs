using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Inference.Files;
using Deliberate.Inference.Models;

namespace Deliberate.Inference.Weights.Gguf;

/// <summary>What an import wrote.</summary>
/// <param name="Config">The shape of the model.</param>
/// <param name="Parameters">Number of parameters.</param>
/// <param name="Tokenizer">Where tokenizer.json came from: the path of the one beside the GGUF file, "metadata", or null where there is none.</param>
public sealed record GgufImported(ModelConfig Config, long Parameters, string? Tokenizer);

/// <summary>Turns a GGUF file into a model's folder in Hugging Face's layout.</summary>
public static class GgufImport
{
    private const long DefaultShard = 5_000_000_000;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>
    /// Dequantizes every tensor and writes weights, config.json, generation_config.json and, where the file has them, tokenizer and
    /// chat template. A tokenizer.json beside the file goes before the one in its metadata.
    /// </summary>
    /// <param name="file">The GGUF file.</param>
    /// <param name="folder">Where to write; made where it is missing.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="maxShard">Bytes of data above which weights are split over files.</param>
    /// <exception cref="InvalidDataException">The file is damaged or of a kind that is not imported; nothing is written then.</exception>
    public static GgufImported Convert(string file, string folder, TensorType type = TensorType.BF16, long maxShard = DefaultShard)
    {
        if (type is not (TensorType.F32 or TensorType.F16 or TensorType.BF16)) throw new ArgumentException($"{type} is not written; F32, F16 and BF16 are.", nameof(type));
        using var gguf = GgufFile.Open(file);
        var config = GgufConfig.Read(gguf);
        var tensors = Tensors(gguf, config, type);
        var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "tokenizer.json");
        var hasTokenizer = File.Exists(beside);
        var tokenizer = hasTokenizer ? null : GgufTokenizer.Read(gguf);

        Directory.CreateDirectory(folder);
        Save(folder, "config.json", WithTokens(gguf, ConfigWriter.ToJson(config, type)));
        Save(folder, "generation_config.json", WithTokens(gguf, []));
        if (hasTokenizer && Path.GetFullPath(folder) != Path.GetDirectoryName(beside)) AtomicFile.Write(Path.Combine(folder, "tokenizer.json"), stream => stream.Write(File.ReadAllBytes(beside)));
        if (tokenizer is not null) Save(folder, "tokenizer.json", tokenizer);
        WriteTemplate(gguf, folder);
        SafeTensorsWriter.WriteModel(folder, tensors, maxShard, new Dictionary<string, string> { ["format"] = "pt" });
        return new(config, tensors.Sum(tensor => tensor.Count), hasTokenizer ? beside : tokenizer is null ? null : "metadata");
    }

    private static List<TensorToWrite> Tensors(GgufFile file, ModelConfig config, TensorType type)
    {
        var tensors = new List<TensorToWrite>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, shape) in config.Tensors())
        {
            var there = GgufNames.Of(name, config);
            if (!file.Tensors.TryGetValue(there, out var tensor)) throw file.Error($"tensor '{there}' is missing.");
            if (!tensor.Shape.SequenceEqual(shape.Select(size => (long)size)))
                throw file.Error($"tensor '{there}' has shape [{string.Join(", ", tensor.Shape)}]; the metadata ask for [{string.Join(", ", shape)}].");
            taken.Add(there);
            tensors.Add(new(name, type, tensor.Shape, () => Values(file, there, config)));
        }

        foreach (var name in file.Tensors.Keys)
            if (!taken.Contains(name) && !GgufConfig.IsConfiguration(name)) throw file.Error($"tensor '{name}' belongs to no part of the model that the metadata describe.");
        return tensors;
    }

    private static float[] Values(GgufFile file, string name, ModelConfig config)
    {
        var values = file.Values(name);
        // llama.cpp stores Gemma's norms with the 1 added, and turns neighbouring rows of Llama's heads where Hugging Face turns halves.
        if (config.NormOffset != 0 && name.EndsWith("norm.weight", StringComparison.Ordinal))
            for (var i = 0; i < values.Length; i++) values[i] -= config.NormOffset;
        if (config.Family is not (ModelFamily.Llama or ModelFamily.Mistral)) return values;
        return name.Contains(".attn_q.", StringComparison.Ordinal) ? Halves(values, config.Heads, config.HeadDim)
            : name.Contains(".attn_k.", StringComparison.Ordinal) ? Halves(values, config.KvHeads, config.HeadDim) : values;
    }

    // Rows 2i and 2i + 1 of a head become rows i and i + half.
    private static float[] Halves(float[] values, int heads, int headDim)
    {
        var (width, half, result) = (values.Length / (heads * headDim), headDim / 2, new float[values.Length]);
        for (var row = 0; row < heads * headDim; row++)
        {
            int head = row / headDim, within = row % headDim;
            values.AsSpan(row * width, width).CopyTo(result.AsSpan((head * headDim + within % 2 * half + within / 2) * width));
        }

        return result;
    }

    private static JsonObject WithTokens(GgufFile file, JsonObject json)
    {
        if (Token(file, "bos") is { } bos) json["bos_token_id"] = bos;
        if (Token(file, "padding") is { } pad) json["pad_token_id"] = pad;
        int[] stops = [.. new[] { Token(file, "eos"), Token(file, "eot") }.OfType<int>().Distinct()];
        if (stops.Length > 0) json["eos_token_id"] = stops.Length == 1 ? stops[0] : new JsonArray([.. stops.Select(stop => (JsonNode)stop)]);
        return json;
    }

    private static int? Token(GgufFile file, string name)
    {
        if (!file.Metadata.TryGetValue($"tokenizer.ggml.{name}_token_id", out var value)) return null;
        var tokens = file.Tensors["token_embd.weight"].Shape[0];
        return value is uint id && id < tokens ? (int)id : throw file.Error($"metadata 'tokenizer.ggml.{name}_token_id' is {value}, no token of the model's {tokens}.");
    }

    private static void WriteTemplate(GgufFile file, string folder)
    {
        var settings = new JsonObject();
        if (file.Metadata.GetValueOrDefault("tokenizer.ggml.tokens") is string[] tokens)
        {
            foreach (var (field, name) in new[] { ("bos_token", "bos"), ("eos_token", "eos"), ("unk_token", "unknown"), ("pad_token", "padding") })
                if (Token(file, name) is { } id && id < tokens.Length) settings[field] = tokens[id];
        }

        if (file.Metadata.GetValueOrDefault("tokenizer.chat_template") is string template)
        {
            settings["chat_template"] = template;
            AtomicFile.Write(Path.Combine(folder, "chat_template.jinja"), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(template)));
        }

        if (settings.Count == 0) return;
        foreach (var name in (string[])["add_bos_token", "add_eos_token", "add_prefix_space"])
            if (file.Metadata.GetValueOrDefault($"tokenizer.ggml.{name}") is bool flag) settings[name] = flag;
        settings["tokenizer_class"] = "PreTrainedTokenizerFast";
        Save(folder, "tokenizer_config.json", settings);
    }

    private static void Save(string folder, string name, JsonObject json) =>
        AtomicFile.Write(Path.Combine(folder, name), stream => JsonSerializer.Serialize(stream, json, Indented));
}
