using Deliberate.Inference.Models;
using Deliberate.Training.Decoding.Host;

namespace Deliberate.Training.Decoding;

/// <summary>What computes a decoder between the embedding and the final norm.</summary>
public enum DecoderBody
{
    /// <summary>libtorch's operators: for every family, for adapters, for bf16, and to compare against.</summary>
    Torch,

    /// <summary>Plain C# in fp32, on rows without padding, for plain Llama; the quicker on processors without matrix units for bf16.</summary>
    Host,
}

/// <summary>Which body a decoder has where nothing else is said.</summary>
internal static class DecoderBodies
{
    /// <summary>Whether every option beyond the sizes is plain Llama's, with tied embeddings.</summary>
    public static bool IsPlain(ModelConfig config) => config == new ModelConfig
    {
        VocabSize = config.VocabSize,
        HiddenSize = config.HiddenSize,
        Layers = config.Layers,
        Heads = config.Heads,
        KvHeads = config.KvHeads,
        HeadDim = config.HeadDim,
        FeedForward = config.FeedForward,
        MaxPositions = config.MaxPositions,
        RopeTheta = config.RopeTheta,
        RmsNormEps = config.RmsNormEps,
        Family = config.Family,
    };

    /// <summary><c>DELIBERATE_TRAINING</c> (torch or host) overrides; what the host does not compute is always libtorch's.</summary>
    /// <param name="fits">Whether the host's body can compute the decoder.</param>
    /// <exception cref="InvalidOperationException">The variable holds something else.</exception>
    public static DecoderBody Default(bool fits) => (fits, Environment.GetEnvironmentVariable("DELIBERATE_TRAINING")) switch
    {
        (_, not (null or "" or "torch" or "host") and var other) => throw new InvalidOperationException($"DELIBERATE_TRAINING is '{other}'; set it to torch or host, or not at all."),
        (false, _) or (_, "torch") => DecoderBody.Torch,
        (_, "host") => DecoderBody.Host,
        _ => HostBody.Fast ? DecoderBody.Host : DecoderBody.Torch,
    };
}
