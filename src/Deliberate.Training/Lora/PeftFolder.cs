using System.Text.Json;
using System.Text.Json.Nodes;
using Deliberate.Inference.Models;
using Deliberate.Inference.Weights;

namespace Deliberate.Training.Lora;

/// <summary>
/// Adapters in the layout of Hugging Face's PEFT: a folder with <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>, whose
/// tensors are named <c>base_model.model.{module}.lora_A.weight</c> and <c>lora_B.weight</c>.
/// </summary>
public static class PeftFolder
{
    private const string ConfigName = "adapter_config.json", TensorsName = "adapter_model.safetensors", Prefix = "base_model.model.";

    private const int LargestRank = 1 << 16;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    // They tell of training or of where the adapter came from, not of what is computed.
    private static readonly HashSet<string> Harmless =
    [
        "base_model_name_or_path", "inference_mode", "init_lora_weights", "lora_dropout", "megatron_core", "peft_version", "qalora_group_size", "revision", "task_type", "auto_mapping",
        "layers_pattern", "exclude_modules", "loftq_config", "corda_config", "eva_config", "lora_ga_config", "ensure_weight_tying",
    ];

    /// <summary>Reads an adapter and checks it against the model.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="config">The shape of the base model.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, does not fit the model, or asks for what is not computed here (DoRA, saved modules, biases); the message names file and field.</exception>
    public static LoraAdapter Load(string folder, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var path = Path.Combine(folder, ConfigName);
        if (!File.Exists(path)) throw new FileNotFoundException($"{folder}: the adapter folder has no {ConfigName}.", ConfigName);
        var options = Options(path);
        using var file = SafeTensorsFile.Open(Path.Combine(folder, TensorsName));
        var modules = new SortedDictionary<string, LoraMatrices>(StringComparer.Ordinal);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in file.Tensors.Keys.Where(name => name.EndsWith(".lora_A.weight", StringComparison.Ordinal)))
        {
            var stem = name[..^".lora_A.weight".Length];
            if (!stem.StartsWith(Prefix, StringComparison.Ordinal)) throw new InvalidDataException($"{file.Path}: tensor '{name}' does not begin with '{Prefix}'.");
            var (module, other) = (stem[Prefix.Length..], stem + ".lora_B.weight");
            var (a, b) = (file[name].Shape, file[other].Shape);
            if (a.Count != 2 || b.Count != 2 || a[0] != b[1] || a[0] is < 1 or > LargestRank)
                throw new InvalidDataException($"{file.Path}: '{name}' of shape [{string.Join(", ", a)}] and lora_B of shape [{string.Join(", ", b)}] do not make a product.");
            var rank = LoraTargets.RankOf(options, module);
            if (rank != a[0]) throw new InvalidDataException($"{file.Path}: tensor '{name}' has rank {a[0]}; {ConfigName} says {rank}.");
            modules[module] = new(rank, (int)a[1], (int)b[0], LoraTargets.ScaleOf(options, module, rank), file.Values(name), file.Values(other));
            taken.UnionWith([name, other]);
        }

        foreach (var name in file.Tensors.Keys)
            if (!taken.Contains(name)) throw new InvalidDataException($"{file.Path}: tensor '{(name.Length > 200 ? name[..200] : name)}' is no adapter's matrix; only lora_A.weight and lora_B.weight are read.");
        if (modules.Count == 0) throw new InvalidDataException($"{file.Path}: there is no adapter in it.");
        var adapter = new LoraAdapter(options, modules);
        LoraTargets.Check(adapter, config, file.Path);
        return adapter;
    }

    /// <summary>Writes an adapter; each file appears whole or not at all.</summary>
    /// <param name="folder">Where to write; made where it is missing.</param>
    /// <param name="adapter">The adapter.</param>
    /// <param name="baseModel">Name or path of the base model, for <c>base_model_name_or_path</c>; null leaves it open.</param>
    public static void Save(string folder, LoraAdapter adapter, string? baseModel = null)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        Directory.CreateDirectory(folder);
        var options = adapter.Options;
        IEnumerable<string> targets = options.TargetModules ?? [.. adapter.Modules.Keys.Select(module => module.Split('.')[^1]).Distinct().Order(StringComparer.Ordinal)];
        var json = new JsonObject
        {
            ["alpha_pattern"] = new JsonObject(options.AlphaPattern.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value))),
            ["base_model_name_or_path"] = baseModel,
            ["bias"] = "none",
            ["fan_in_fan_out"] = false,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["layers_pattern"] = null,
            ["layers_to_transform"] = options.Layers is null ? null : new JsonArray([.. options.Layers.Select(layer => (JsonNode)layer)]),
            ["lora_alpha"] = Whole(options.Alpha),
            ["lora_dropout"] = 0.0,
            ["modules_to_save"] = null,
            ["peft_type"] = "LORA",
            ["r"] = options.Rank,
            ["rank_pattern"] = new JsonObject(options.RankPattern.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value))),
            ["target_modules"] = new JsonArray([.. targets.Select(target => (JsonNode)target)]),
            ["task_type"] = "CAUSAL_LM",
            ["use_dora"] = false,
            ["use_rslora"] = options.RsLora,
        };
        SafeTensorsWriter.Write(Path.Combine(folder, TensorsName), adapter.Modules.SelectMany(entry => (TensorToWrite[])
        [
            new($"{Prefix}{entry.Key}.lora_A.weight", TensorType.F32, [entry.Value.Rank, entry.Value.Inputs], () => entry.Value.A),
            new($"{Prefix}{entry.Key}.lora_B.weight", TensorType.F32, [entry.Value.Outputs, entry.Value.Rank], () => entry.Value.B),
        ]), new Dictionary<string, string> { ["format"] = "pt" });
        var temporary = Path.Combine(folder, ConfigName + ".tmp");
        File.WriteAllText(temporary, json.ToJsonString(Indented) + "\n");
        File.Move(temporary, Path.Combine(folder, ConfigName), overwrite: true);
    }

    // An alpha is mostly whole, and some readers want it so.
    private static JsonNode Whole(double value) => value == Math.Floor(value) && Math.Abs(value) < 1e9 ? (int)value : value;

    private static LoraOptions Options(string path)
    {
        var fields = AdapterFields.Read(path);
        if (fields.Text("peft_type") is var kind && kind != "LORA") throw fields.Error("peft_type", $"is '{kind}'; only LORA is read");
        if (fields.Flag("use_dora")) throw fields.Error("use_dora", "is true; DoRA is not computed here. Merge the adapter in PEFT first (merge_and_unload)");
        if (fields.IsSet("modules_to_save")) throw fields.Error("modules_to_save", "is set; whole modules beside the adapters are not read. Merge the adapter in PEFT first (merge_and_unload)");
        if (fields.Text("bias") is not (null or "none")) throw fields.Error("bias", "is not 'none'; trained biases are not read");
        var options = new LoraOptions
        {
            Rank = fields.Number("r", LargestRank),
            Alpha = fields.Real("lora_alpha"),
            RsLora = fields.Flag("use_rslora"),
            TargetModules = fields.Texts("target_modules"),
            Layers = fields.Numbers("layers_to_transform"),
            RankPattern = fields.Table("rank_pattern", value => value is >= 1 and <= LargestRank && value == Math.Floor(value) ? (int)value : throw fields.Error("rank_pattern", "has an entry that is no rank")),
            AlphaPattern = fields.Table("alpha_pattern", value => value),
        };
        foreach (var pattern in options.RankPattern.Keys.Concat(options.AlphaPattern.Keys)) _ = LoraTargets.Pattern(pattern);
        fields.RefuseOthers(Harmless);
        return options;
    }
}
