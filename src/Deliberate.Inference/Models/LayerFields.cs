using System.Text.Json;

namespace Deliberate.Inference.Models;

/// <summary>Which layers slide: <c>layer_types</c>, or the rule of the family where a file of transformers 4 has none.</summary>
internal static class LayerFields
{
    public static ModelConfig Slide(ConfigObject root, FamilyDefaults family, ModelConfig config)
    {
        var kind = family.Family;
        var switched = kind is ModelFamily.Qwen2 or ModelFamily.Qwen3 or ModelFamily.SmolLM3;
        var window = root.IsNull("sliding_window") ? null : root.NumberOrNone("sliding_window") ?? family.Window;
        if (kind is ModelFamily.Llama or ModelFamily.Olmo2)
        {
            if (window is not null) throw root.Error("sliding_window", $"is {window}; this family has none");
        }

        var on = window is not null && (!switched || root.Flag("use_sliding_window", false));
        var from = root.Number("max_window_layers", 28);
        var pattern = root.NumberOrNone("sliding_window_pattern") ?? root.NumberOrNone("_sliding_window_pattern") ?? 6;
        bool ByRule(int layer) => on && kind switch
        {
            ModelFamily.Qwen2 or ModelFamily.Qwen3 => layer >= from,
            ModelFamily.SmolLM3 => !config.NoRopeLayers.Contains(layer),
            ModelFamily.Gemma2 => layer % 2 == 0,
            ModelFamily.Gemma3 => (layer + 1) % pattern != 0,
            _ => true,
        };
        var types = root.List("layer_types", config.Layers);
        bool Slides(int layer) => types is null ? ByRule(layer) : Type(layer) switch
        {
            "full_attention" => false,
            "sliding_attention" => on ? true : throw root.Error("layer_types", $"has a sliding layer {layer}, but sliding_window is not set or switched off"),
            var other => throw root.Error("layer_types", $"says '{other}' of layer {layer}; full_attention and sliding_attention are computed"),
        };
        string? Type(int layer) => types[layer] is { ValueKind: JsonValueKind.String } text ? text.GetString() : throw root.Error("layer_types", $"has an entry {layer} that is no text");
        var sliding = new LayerSet(Enumerable.Range(0, config.Layers).Where(Slides));
        return config with { SlidingLayers = sliding, SlidingWindow = sliding.Count > 0 ? window : null };
    }
}
