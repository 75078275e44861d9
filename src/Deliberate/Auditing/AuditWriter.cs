namespace Deliberate.Auditing;

/// <summary>The end of a log's chain and the file that it stands in. Records are added to a batch in memory and committed together. Not thread-safe.</summary>
internal sealed class AuditWriter : IDisposable
{
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly MemoryStream _batch = new();
    private FileStream? _file;
    private DateTimeOffset _begun;
    private long _last, _added;
    private string _hash = AuditRecord.Genesis, _addedHash = AuditRecord.Genesis;
    private IOException? _broken;

    /// <summary>Finds the end of the chain. A last line without its end is cut off.</summary>
    /// <exception cref="InvalidDataException">The last segment is broken; the message names file and line.</exception>
    public AuditWriter(string folder, TimeProvider time)
    {
        (_folder, _time) = (folder, time);
        var segments = AuditSegments.In(folder);
        long? end = null;
        for (var i = segments.Count - 1; i >= 0 && _last == 0; i--)
        {
            var read = Resume(segments[i].Path, segments[i].First);
            if (end is not null && new FileInfo(segments[i].Path).Length > read) throw Broken($"{segments[i].Path}: it ends within a line, though another file follows");
            end ??= read;
        }

        (_added, _addedHash) = (_last, _hash);
        if (segments.Count == 0) return;
        var path = segments[^1].Path;
        // A crash between making a file and writing to it leaves an empty one, whose name is that of the next record.
        if (end == 0 && segments[^1].First != _last + 1) throw Broken($"{path}: it has no record, and is not named after the next one, {_last + 1}: records are gone");
        _file = Opened(path);
        if (_file.Length > end!.Value) _file.SetLength(end.Value);
    }

    /// <summary>Number of the last record that is on disk.</summary>
    public long Last => Volatile.Read(ref _last);

    /// <summary>Bytes of the batch.</summary>
    public long Pending => _batch.Length;

    /// <summary>The segment that is written to; null between two.</summary>
    public string? Path => _file?.Name;

    /// <summary>Adds a record to the batch and returns its number.</summary>
    public long Add(AuditRecord.Draft draft)
    {
        var (line, hash) = draft.At(_added + 1, _addedHash, _time.GetUtcNow());
        _batch.Write(line);
        _addedHash = hash;
        return ++_added;
    }

    /// <summary>Brings the batch to disk. If that fails none of it counts.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Commit()
    {
        if (_batch.Length == 0) return;
        if (_broken is not null)
        {
            Forget();
            throw _broken;
        }

        var length = _file?.Length ?? 0;
        try
        {
            if (length == 0) _begun = _time.GetUtcNow();
            _file ??= Opened(AuditSegments.PathOf(_folder, _last + 1));
            _file.Position = length;
            _file.Write(_batch.GetBuffer(), 0, (int)_batch.Length);
            _file.Flush(flushToDisk: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            Forget();
            CutBack(length);
            throw new IOException($"the audit log in {_folder} cannot be written: {problem.Message}", problem);
        }

        _hash = _addedHash;
        _batch.SetLength(0);
        Volatile.Write(ref _last, _added);
    }

    /// <summary>Closes a segment that is full or of another day, so that the next batch begins a new one.</summary>
    /// <returns>Whether one was closed.</returns>
    public bool Roll(long mostBytes)
    {
        if (_file is not { Length: > 0 } || (_file.Length < mostBytes && _time.GetUtcNow().UtcDateTime.Date <= _begun.UtcDateTime.Date)) return false;
        Release();
        return true;
    }

    /// <summary>Lets the file go while another one takes its place.</summary>
    public void Replace(Action replace)
    {
        var path = Path;
        Release();
        try
        {
            replace();
        }
        finally
        {
            if (path is not null) _file = Opened(path);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        _batch.Dispose();
    }

    private void Release()
    {
        _file?.Dispose();
        _file = null;
    }

    private void Forget()
    {
        _batch.SetLength(0);
        (_added, _addedHash) = (_last, _hash);
    }

    // What a failed write left must go, or the chain would go on after records that nobody was told of.
    private void CutBack(long length)
    {
        try
        {
            _file?.SetLength(length);
            _file?.Flush(flushToDisk: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            _broken = new IOException($"the audit log in {_folder} cannot be written any more: {problem.Message} Mend the disk and start again.", problem);
        }
    }

    private long Resume(string path, long first)
    {
        var (line, end) = (0, 0L);
        foreach (var (bytes, at) in AuditSegments.Lines(path))
        {
            line++;
            try
            {
                var record = AuditRecord.Read(bytes);
                if (line == 1 ? record.Number != first : record.Number != _last + 1 || record.Previous != _hash) throw new InvalidDataException("it does not follow on the record before it");
                if (line == 1) _begun = record.At;
                (_last, _hash, end) = (record.Number, record.Hash, at);
            }
            catch (InvalidDataException problem)
            {
                throw Broken($"{path}:{line}: {problem.Message}");
            }
        }

        return end;
    }

    private static InvalidDataException Broken(string what) => new($"{what}. Keep the folder as evidence, and begin a log in another one; `deliberate audit verify` checks the whole.");

    // Without a buffer of its own: what was written is in the file or was refused.
    private static FileStream Opened(string path) => new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 0);
}
