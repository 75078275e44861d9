using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Deliberate.Conversations;

/// <summary>Gives every call its own seed, so that results do not depend on the order in which calls are made.</summary>
public static class CallSeed
{
    /// <summary>A non-negative seed from the run's seed, the name of what is asked and the number of the attempt; the same on every machine.</summary>
    public static int Derive(int seed, string id, int index)
    {
        ArgumentNullException.ThrowIfNull(id);
        var text = string.Create(CultureInfo.InvariantCulture, $"{seed}\n{index}\n{id}");
        return BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) & int.MaxValue;
    }
}
