using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Miniature.World;

namespace Deliberate.Miniature.Prompts;

/// <summary>Which side of the split a request falls on.</summary>
public enum Side
{
    /// <summary>May be trained on.</summary>
    Training,

    /// <summary>Watched during training, never trained on and never reported.</summary>
    Validation,

    /// <summary>Evaluated on only.</summary>
    HeldOut,
}

/// <summary>Splits requests by a hash of (topic, act, phrasing), so that no held-out combination ever occurs in training.</summary>
public static class PromptSplit
{
    /// <summary>The side of this request; wrapper, persona and filler do not move it.</summary>
    public static Side Of(Request request)
    {
        ArgumentNullException.ThrowIfNull(request);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(request.SplitKey), hash);
        return (BinaryPrimitives.ReadUInt32LittleEndian(hash) % 10) switch { < 3 => Side.HeldOut, 3 => Side.Validation, _ => Side.Training };
    }
}
