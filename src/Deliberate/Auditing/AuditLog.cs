using System.Threading.Channels;

namespace Deliberate.Auditing;

/// <summary>
/// An append-only log of exchanges: JSON lines in segments, each record with the hash of the one before it. <see cref="AppendAsync"/> returns when its record
/// is on disk; records that arrive together share one flush. <c>docs/audit.md</c> describes the format. Thread-safe; one process at a time may hold it open,
/// any may read it.
/// </summary>
public sealed class AuditLog : IAsyncDisposable, IDisposable
{
    private const int BatchBytes = 4 << 20;

    private readonly AuditOptions _options;
    private readonly FileStream _lock;
    private readonly AuditWriter _writer;
    private readonly AuditCleaning _cleaning;
    private readonly Channel<Work> _work = Channel.CreateUnbounded<Work>(new() { SingleReader = true });
    private readonly Task _loop;

    private AuditLog(string folder, AuditOptions options, TimeProvider time, FileStream @lock)
    {
        (Folder, _options, _lock) = (folder, options, @lock);
        _writer = new(folder, time);
        try
        {
            _cleaning = new(folder, options, time, _writer);
            _cleaning.Run();
        }
        catch
        {
            _writer.Dispose();
            throw;
        }

        _loop = Task.Run(LoopAsync);
    }

    // A draft to append, or without one a request to clean.
    private sealed record Work(AuditRecord.Draft? Draft, TaskCompletionSource<long> Done);

    /// <summary>The log's folder.</summary>
    public string Folder { get; }

    /// <summary>Number of the last record that is on disk; 0 when there is none.</summary>
    public long Last => _writer.Last;

    /// <summary>Why records could not be written the last time that they could not; null when they always could. It holds nothing of any exchange.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Opens a log, or begins one. A last line that a crash cut off is removed: its record was never acknowledged.</summary>
    /// <param name="folder">Its folder, which is made if needed.</param>
    /// <param name="options">What is kept, and for how long.</param>
    /// <param name="time">Tells the time; null: the system's.</param>
    /// <exception cref="IOException">Another process holds the log.</exception>
    /// <exception cref="InvalidDataException">The last segment is broken; the message names file and line.</exception>
    public static AuditLog Open(string folder, AuditOptions? options = null, TimeProvider? time = null)
    {
        folder = Directory.CreateDirectory(folder).FullName;
        FileStream @lock;
        try
        {
            @lock = new(Path.Combine(folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException problem)
        {
            throw new IOException($"{folder} is in use by another process, which writes this audit log. Stop that one, or choose another folder.", problem);
        }

        try
        {
            return new(folder, options ?? new(), time ?? TimeProvider.System, @lock);
        }
        catch
        {
            @lock.Dispose();
            throw;
        }
    }

    /// <summary>Adds an exchange and returns when it is on disk.</summary>
    /// <returns>The record's number.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The log is closed.</exception>
    public Task<long> AppendAsync(AuditExchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        return DoAsync(AuditRecord.Of(exchange, _options.Withheld));
    }

    /// <summary>Deletes and redacts what is older than the settings allow. Also done when the log is opened and whenever a segment is closed.</summary>
    /// <exception cref="IOException">A file cannot be written or deleted.</exception>
    /// <exception cref="InvalidDataException">A record is broken.</exception>
    public Task CleanAsync() => DoAsync(null);

    /// <summary>Exchanges in the order of their numbers.</summary>
    /// <param name="after">Only those with greater numbers.</param>
    /// <param name="limit">At most so many.</param>
    /// <exception cref="InvalidDataException">A record is broken.</exception>
    public IReadOnlyList<AuditEntry> Read(long after, int limit) => AuditReader.Read(Folder, after, limit, Last);

    /// <summary>The exchange of this name, or null. Takes time in proportion to the log's length.</summary>
    /// <exception cref="InvalidDataException">A record is broken.</exception>
    public AuditEntry? Find(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return AuditReader.Find(Folder, id, Last);
    }

    /// <summary>Writes what is waiting and closes the log.</summary>
    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        _writer.Dispose();
        await _lock.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Writes what is waiting and closes the log.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private Task<long> DoAsync(AuditRecord.Draft? draft)
    {
        var work = new Work(draft, new(TaskCreationOptions.RunContinuationsAsynchronously));
        ObjectDisposedException.ThrowIf(!_work.Writer.TryWrite(work), this);
        return work.Done.Task;
    }

    private async Task LoopAsync()
    {
        while (await _work.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            var rolled = _writer.Roll(_options.SegmentBytes);
            var (batch, clean) = (new List<(Work Work, long Number)>(), new List<Work>());
            while (_writer.Pending < BatchBytes && _work.Reader.TryRead(out var work))
            {
                if (work.Draft is { } draft) batch.Add((work, _writer.Add(draft)));
                else clean.Add(work);
            }

            try
            {
                _writer.Commit();
                foreach (var (work, number) in batch) work.Done.TrySetResult(number);
            }
#pragma warning disable CA1031 // whoever waits is told, and the loop goes on for the others
            catch (Exception problem)
            {
                LastFailure = problem.Message;
                foreach (var (work, _) in batch) work.Done.TrySetException(problem);
            }

            try
            {
                if (rolled || clean.Count > 0) _cleaning.Run();
                foreach (var work in clean) work.Done.TrySetResult(_writer.Last);
            }
            catch (Exception problem)
            {
                // What cannot be cleaned now is tried again with the next segment.
                foreach (var work in clean) work.Done.TrySetException(problem);
            }
#pragma warning restore CA1031
        }
    }
}
