using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Deliberate.Runs;

/// <summary>
/// An append-only log of a stage's finished pieces, one JSON line each. <see cref="AddAsync"/> returns when its line is on disk;
/// lines that arrive together are flushed together. Thread-safe; one process at a time may hold it open.
/// </summary>
/// <typeparam name="T">The kind of pieces.</typeparam>
public sealed class StageLog<T> : IRecovery<T>, IDisposable
{
    private readonly ConcurrentDictionary<string, T> _items = new();
    private readonly ConcurrentQueue<byte[]> _pending = new();
    private readonly SemaphoreSlim _disk = new(1);
    private readonly FileStream _file;

    internal StageLog(string path)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        var entries = JsonLines.ReadWhole<Entry>(path, out var length);
        foreach (var entry in entries) _items[entry.Id] = entry.Item;
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, 1 << 16);
        _file.SetLength(length);
        _file.Seek(0, SeekOrigin.End);
    }

    private sealed record Entry(string Id, T Item);

    /// <summary>Number of pieces remembered.</summary>
    public int Count => _items.Count;

    /// <inheritdoc/>
    public bool TryGet(string id, [MaybeNullWhen(false)] out T item) => _items.TryGetValue(id, out item);

    /// <inheritdoc/>
    /// <remarks>A name that is already there keeps its first piece.</remarks>
    public async Task AddAsync(string id, T item, CancellationToken cancellationToken = default)
    {
        if (!_items.TryAdd(id, item)) return;
        _pending.Enqueue(JsonLines.Line(new Entry(id, item)));
        // Paid-for work is kept even when its caller is being cancelled: hence no token here.
        await _disk.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (_pending.IsEmpty) return;
            while (_pending.TryDequeue(out var line)) _file.Write(line);
            _file.Flush(flushToDisk: true);
        }
        finally
        {
            _disk.Release();
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _file.Dispose();
        _disk.Dispose();
    }
}
