using System.Runtime.InteropServices;

namespace Deliberate.Inference.Generation;

/// <summary>Zeroed memory that begins at a cache line and never moves. Freed when it is collected, or earlier with <see cref="Release"/>.</summary>
internal sealed unsafe class AlignedMemory
{
    public AlignedMemory(long bytes)
    {
        Length = Math.Max(bytes, 1);
        Start = (byte*)NativeMemory.AlignedAlloc((nuint)Length, 64);
        NativeMemory.Clear(Start, (nuint)Length);
        GC.AddMemoryPressure(Length);
    }

    ~AlignedMemory() => Free();

    /// <summary>The first byte.</summary>
    public byte* Start { get; private set; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>Frees it; nobody may read it any more.</summary>
    public void Release() => Free();

    private void Free()
    {
        if (Start == null) return;
        NativeMemory.AlignedFree(Start);
        Start = null;
        GC.RemoveMemoryPressure(Length);
    }
}
