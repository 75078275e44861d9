using Deliberate.Training.Decoding.Host;

namespace Deliberate.Training.Decoding;

/// <summary>What computes a decoder between the embedding and the final norm.</summary>
public enum DecoderBody
{
    /// <summary>libtorch's operators, on padded rows: for bf16, and to compare against.</summary>
    Torch,

    /// <summary>Plain C# in fp32, on rows without padding; about twice as fast on processors without matrix units for bf16.</summary>
    Host,
}

/// <summary>Which body a decoder has where nothing else is said.</summary>
internal static class DecoderBodies
{
    /// <summary><c>DELIBERATE_TRAINING</c> (torch or host) overrides; bf16 is always libtorch's.</summary>
    /// <exception cref="InvalidOperationException">The variable holds something else.</exception>
    public static DecoderBody Default(bool fp32) => (fp32, Environment.GetEnvironmentVariable("DELIBERATE_TRAINING")) switch
    {
        (_, not (null or "" or "torch" or "host") and var other) => throw new InvalidOperationException($"DELIBERATE_TRAINING is '{other}'; set it to torch or host, or not at all."),
        (false, _) or (_, "torch") => DecoderBody.Torch,
        (_, "host") => DecoderBody.Host,
        _ => HostBody.Fast ? DecoderBody.Host : DecoderBody.Torch,
    };
}
