using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Conversations;

namespace Deliberate.Prompts;

/// <summary>
/// Splits prompts by a hash of what they say: a prompt stays on its side when others come, go or change places, and when only case, spacing or
/// punctuation of it change.
/// </summary>
public static class HashSplit
{
    /// <summary>Whether a conversation is held out.</summary>
    /// <param name="conversation">The conversation. A prompt that was made from another goes with that one: ask with that one's key.</param>
    /// <param name="share">Share that is held out, from 0 to 1. A larger share holds out all that a smaller one does.</param>
    /// <param name="salt">Changes which are held out.</param>
    public static bool IsHeldOut(Conversation conversation, double share, string salt = "") => IsHeldOut(PromptText.Hash(conversation), share, salt);

    /// <summary>Whether what has this key is held out.</summary>
    /// <param name="key">The key: <see cref="PromptText.Hash(Conversation)"/> of the conversation that decides.</param>
    /// <param name="share">Share that is held out, from 0 to 1.</param>
    /// <param name="salt">Changes which are held out.</param>
    public static bool IsHeldOut(string key, double share, string salt = "")
    {
        if (share is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "The share lies between 0 and 1.");
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{salt}\n{key}"));
        return (BinaryPrimitives.ReadUInt64LittleEndian(digest) >> 11) * (1.0 / (1UL << 53)) < share;
    }
}
