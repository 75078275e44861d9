using Deliberate.Inference.Models;

namespace Deliberate.Training.Lora;

/// <summary>The adapter that a run begins with.</summary>
internal static class AdapterStart
{
    /// <summary>A given one, a fresh one, or null where every parameter is trained.</summary>
    public static LoraAdapter? Of(ModelConfig config, LoraOptions? options, LoraAdapter? given) => given is null
        ? options is null ? null : LoraAdapter.Create(config, options)
        : options is null ? given : new LoraAdapter(given.Options with { Fp32Base = options.Fp32Base }, given.Modules);
}
