using System.Runtime.InteropServices;

namespace Deliberate.Training.Decoding.Host;

/// <summary>
/// Floats outside the managed heap that stay where they are from step to step: fresh pages are expensive, above all on virtual
/// machines. Its content is undefined after it grew.
/// </summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    private const nuint HugePage = 2 << 20;
    private void* _mapped;
    private nuint _mappedBytes;

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
        // Large ones are mapped, so that the system has them back when a stage is over: the allocator is told to keep what it has.
        if (bytes >= 2 * HugePage && OperatingSystem.IsLinux() && TryMap(bytes))
        {
            Length = floats;
            return Data;
        }

        Data = (float*)NativeMemory.AlignedAlloc(bytes, 64);
        Length = floats;
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
        if (_mapped != null) _ = Unmap(_mapped, _mappedBytes);
        else if (Data != null) NativeMemory.AlignedFree(Data);
        _mapped = null;
        Data = null;
        Length = 0;
    }

    private bool TryMap(nuint bytes)
    {
        bytes = (bytes + HugePage - 1) / HugePage * HugePage + HugePage;
        var start = Map(null, bytes, ReadWrite, PrivateAnonymous, -1, 0);
        if (start == (void*)-1) return false;
        _mapped = start;
        _mappedBytes = bytes;
        // A wish: pages of 2 MiB spare most of the address translation. Where the system declines, nothing is lost.
        _ = Advise(start, bytes, HugePages);
        Data = (float*)(((nuint)start + HugePage - 1) / HugePage * HugePage);
        return true;
    }

    private const int HugePages = 14, ReadWrite = 3, PrivateAnonymous = 0x22;

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint bytes, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint bytes);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);
}
