using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Conversations;

namespace Deliberate.Server.Rewards;

/// <summary>A SHA-256 over texts, each with its length before it, so that no two lists of texts share one by where they are cut.</summary>
internal readonly record struct ContentKey(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>The key of a conversation and what belongs to it.</summary>
    public static ContentKey Of(ReadOnlySpan<string> texts, Conversation conversation)
    {
        var size = 0;
        foreach (var text in texts) size += 4 + Encoding.UTF8.GetMaxByteCount(text.Length);
        foreach (var turn in conversation.Turns) size += 5 + Encoding.UTF8.GetMaxByteCount(turn.Text.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var at = 0;
            foreach (var text in texts) Add(text);
            foreach (var turn in conversation.Turns)
            {
                buffer[at++] = (byte)turn.Role;
                Add(turn.Text);
            }

            Span<ulong> hash = stackalloc ulong[4];
            SHA256.HashData(buffer.AsSpan(0, at), MemoryMarshal.AsBytes(hash));
            return new(hash[0], hash[1], hash[2], hash[3]);

            void Add(string text)
            {
                var length = Encoding.UTF8.GetBytes(text, buffer.AsSpan(at + 4));
                BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(at), length);
                at += 4 + length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Any part of it is as good as another.</summary>
    public override int GetHashCode() => (int)A;

    /// <summary>32 hex digits of it.</summary>
    public override string ToString() => $"{A:x16}{B:x16}";
}
