using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Deliberate.Inference.Generation;

/// <summary>Hints about memory that is read soon.</summary>
internal static unsafe class Memory
{
    /// <summary>
    /// Fetches the cache line of this address, which may lie behind the end of what is read. Weights and keys come from a far
    /// cache or from memory, and the hardware's own prefetching stops at every page.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(void* address)
    {
        if (Sse.IsSupported) Sse.Prefetch0(address);
    }

    /// <summary>As <see cref="Prefetch"/>, but leaves the nearest cache to what is in use now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PrefetchFar(void* address)
    {
        if (Sse.IsSupported) Sse.Prefetch1(address);
    }
}
