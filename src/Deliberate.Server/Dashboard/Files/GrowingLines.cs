namespace Deliberate.Server.Dashboard.Files;

/// <summary>
/// Follows a file of lines that another process may be writing: each look hands on the whole lines that have come since the last one. A file that was put in the place
/// of another is read anew. Not thread-safe.
/// </summary>
/// <param name="path">The file; it need not be there yet.</param>
/// <param name="replaced">Whether the file is only ever put in place as a whole: then any change means a new file.</param>
internal sealed class GrowingLines(string path, bool replaced = false)
{
    private const int Sample = 128, Chunk = 1 << 20;
    private byte[] _head = [];
    private byte[] _tail = [];
    private long _offset;
    private DateTime _written;
    private long _length = -1;

    /// <summary>Takes a line.</summary>
    /// <param name="span">Where it stands.</param>
    /// <param name="line">Its bytes, without the line end.</param>
    public delegate void LineHandler(LineSpan span, ReadOnlySpan<byte> line);

    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>Hands on the lines that have come.</summary>
    /// <param name="reset">Called before any line when what was handed on earlier counts no more.</param>
    /// <param name="handle">Takes the lines in order.</param>
    /// <returns>Whether anything changed.</returns>
    public bool Refresh(Action reset, LineHandler handle)
    {
        var info = new FileInfo(Path);
        if (!info.Exists) return Gone(reset);
        if (info.Length == _length && info.LastWriteTimeUtc == _written) return false;
        try
        {
            using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            if (_length >= 0 && (replaced || !IsContinued(file)))
            {
                reset();
                _offset = 0;
            }

            (_length, _written) = (info.Length, info.LastWriteTimeUtc);
            ReadOn(file, handle);
            _head = Bytes(file, 0, (int)Math.Min(Sample, _offset));
            var tail = (int)Math.Min(Sample, _offset);
            _tail = Bytes(file, _offset - tail, tail);
            return true;
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            return Gone(reset);
        }
    }

    private bool Gone(Action reset)
    {
        if (_length < 0) return false;
        (_length, _offset, _written, _head, _tail) = (-1, 0, default, [], []);
        reset();
        return true;
    }

    private bool IsContinued(FileStream file) =>
        file.Length >= _offset && Bytes(file, 0, _head.Length).AsSpan().SequenceEqual(_head) && Bytes(file, _offset - _tail.Length, _tail.Length).AsSpan().SequenceEqual(_tail);

    private void ReadOn(FileStream file, LineHandler handle)
    {
        var buffer = new byte[Chunk];
        var held = 0;
        while (true)
        {
            if (held == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            var got = RandomAccess.Read(file.SafeFileHandle, buffer.AsSpan(held), _offset + held);
            if (got == 0) return;
            held += got;
            ReadOnlySpan<byte> rest = buffer.AsSpan(0, held);
            for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
            {
                if (end > 0) handle(new(Path, _offset, end), rest[..end]);
                _offset += end + 1;
            }

            rest.CopyTo(buffer);
            held = rest.Length;
        }
    }

    private static byte[] Bytes(FileStream file, long offset, int count)
    {
        var bytes = new byte[count];
        return RandomAccess.Read(file.SafeFileHandle, bytes, offset) == count ? bytes : [];
    }
}
