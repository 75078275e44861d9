using System.IO.MemoryMappedFiles;

namespace Deliberate.Inference.Weights;

/// <summary>
/// A whole file in the address space, read-only. Pages are read when touched and belong to the system's cache, so opening a
/// model of many gigabytes costs nothing.
/// </summary>
/// <remarks>Thread-safe. Spans must not outlive it. A file that is cut short while mapped ends the process: replace files, don't rewrite them.</remarks>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;
    private bool _disposed;

    public MappedFile(string path)
    {
        Path = path;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        Length = stream.Length;
        if (Length == 0) return; // an empty file cannot be mapped
        _map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        _view = _map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>Bytes <paramref name="start"/> .. <paramref name="start"/> + <paramref name="count"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They lie outside the file.</exception>
    public ReadOnlySpan<byte> Bytes(long start, int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (start < 0 || count < 0 || start > Length - count) throw new ArgumentOutOfRangeException(nameof(start), $"{Path}: bytes {start}..{start + count} lie outside the file's {Length}.");
        return count == 0 ? [] : new(_start + start, count);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (_start != null) _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _map?.Dispose();
    }
}
