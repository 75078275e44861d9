using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Deliberate.Runs.Store;

/// <summary>
/// The one writer of a store: a thread that takes whatever has arrived, writes it in one transaction, and tells all who wait once that is on disk. While
/// a commit is flushed the next ones gather, so that the cost of a flush is shared by as many as are waiting for one.
/// </summary>
internal sealed class StoreWriter : IDisposable
{
    // Bounds the memory of what waits to be written; callers beyond it wait for room.
    private const int Waiting = 1024;

    private const int MostInOneCommit = 512;

    private readonly string _path;
    private readonly StoreStatements _statements;
    private readonly Channel<Write> _queue = Channel.CreateBounded<Write>(new BoundedChannelOptions(Waiting) { SingleReader = true });
    private readonly Thread _thread;
    private long _commits;

    public StoreWriter(string path, TimeProvider time)
    {
        _path = path;
        _statements = new StoreStatements(StoreFile.OpenWriter(path), time);
        _thread = new Thread(Work) { IsBackground = true, Name = "run store writer" };
        _thread.Start();
    }

    private sealed record Write(Func<StoreStatements, bool> Apply, TaskCompletionSource<bool>? Done);

    /// <summary>Transactions committed so far.</summary>
    public long Commits => Interlocked.Read(ref _commits);

    /// <summary>Writes; when the task ends, it is on disk. What was handed in earlier is on disk too.</summary>
    public async Task<bool> WriteAsync(Func<StoreStatements, bool> apply)
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(new(apply, done)).ConfigureAwait(false);
        return await done.Task.ConfigureAwait(false);
    }

    /// <summary>Hands in something that will be written with the next commit and that nobody waits for.</summary>
    public ValueTask PostAsync(Func<StoreStatements, bool> apply) => _queue.Writer.WriteAsync(new(apply, null));

    /// <summary>Writes what was handed in and closes the file.</summary>
    public void Dispose()
    {
        if (!_queue.Writer.TryComplete()) return;
        _thread.Join();
        _statements.Dispose();
    }

    private void Work()
    {
        var batch = new List<Write>(MostInOneCommit);
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            batch.Clear();
            while (batch.Count < MostInOneCommit && _queue.Reader.TryRead(out var write)) batch.Add(write);
            if (batch.Count > 0) Commit(batch);
        }
    }

    private void Commit(IReadOnlyList<Write> batch)
    {
        var results = new bool[batch.Count];
        try
        {
            _statements.Begin();
            for (var i = 0; i < batch.Count; i++) results[i] = batch[i].Apply(_statements);
            _statements.Commit();
        }
#pragma warning disable CA1031 // whatever it is, those who wait must hear of it, and the writer must go on
        catch (Exception problem)
        {
            Fail(batch, problem);
            return;
        }
#pragma warning restore CA1031

        Interlocked.Increment(ref _commits);
        for (var i = 0; i < batch.Count; i++) batch[i].Done?.SetResult(results[i]);
    }

    private void Fail(IReadOnlyList<Write> batch, Exception problem)
    {
        try
        {
            _statements.Rollback();
        }
        catch (SqliteException)
        {
            // The next transaction will say it again.
        }

        // One record that cannot be written must not take those along that came with it.
        if (batch.Count > 1 && problem is (not SqliteException) or SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_CONSTRAINT or SQLitePCL.raw.SQLITE_TOOBIG })
        {
            foreach (var write in batch) Commit([write]);
            return;
        }

        var told = problem is SqliteException database ? StoreFile.Explain(_path, database) : problem;
        foreach (var write in batch) write.Done?.SetException(told);
    }
}
