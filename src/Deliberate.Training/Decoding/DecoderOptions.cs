using Deliberate.Training.Lora;

namespace Deliberate.Training.Decoding;

/// <summary>How a <see cref="Decoder"/> holds and computes its model.</summary>
public sealed record DecoderOptions
{
    /// <summary>Compute in bf16; null takes the quicker (<see cref="Decoder.Choice"/>).</summary>
    public bool? Bf16 { get; init; }

    /// <summary>Adapters to train while the model's own weights stay as they are; null trains every parameter.</summary>
    public LoraAdapter? Adapter { get; init; }

    /// <summary>Where it computes: <c>cpu</c>, <c>cuda</c> or <c>cuda:1</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Whether to keep only each block's input and to compute the rest again in the backward pass; null decides by the size of a pass.</summary>
    public bool? GradientCheckpointing { get; init; }
}
