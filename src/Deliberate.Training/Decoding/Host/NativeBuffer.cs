using System.Runtime.InteropServices;

namespace Deliberate.Training.Decoding.Host;

/// <summary>
/// Floats outside the managed heap that stay where they are from step to step: fresh pages are expensive, above all on virtual
/// machines. Its content is undefined after it grew.
/// </summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const nuint HugePage = 2 << 20;

    ~NativeBuffer() => Free();

    /// <summary>The first float, on a cache line's boundary.</summary>
    public float* Data { get; private set; }

    /// <summary>Number of floats that fit.</summary>
    public long Length { get; private set; }

    /// <summary>Makes room for this many floats, and a vector more, so that whole vectors may be read at the end.</summary>
    public float* Reserve(long floats)
    {
        if (floats <= Length && Data != null) return Data;
        Free();
        var bytes = (nuint)(floats + 64) * sizeof(float);
        var large = bytes >= 2 * HugePage;
        if (large) bytes = (bytes + HugePage - 1) / HugePage * HugePage;
        Data = (float*)NativeMemory.AlignedAlloc(bytes, large ? HugePage : 64);
        Length = floats;
        // A wish: pages of 2 MiB spare most of the address translation. Where the system declines, nothing is lost.
        if (large && OperatingSystem.IsLinux()) _ = Advise(Data, bytes, HugePages);
        NativeMemory.Clear(Data, bytes);
        return Data;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (Data != null) NativeMemory.AlignedFree(Data);
        Data = null;
        Length = 0;
    }

    private const int HugePages = 14;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);
}
