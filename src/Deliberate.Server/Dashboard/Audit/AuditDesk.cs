using Deliberate.Auditing;

namespace Deliberate.Server.Dashboard.Audit;

/// <summary>What a check of the audit log's chain has shown. Immutable.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Found">What was found; null when the log could not be checked.</param>
/// <param name="Problem">Why it could not be checked.</param>
public sealed record ChainCheck(DateTimeOffset At, AuditVerification? Found, string? Problem = null);

/// <summary>The audit log that the dashboard shows, and the last check of its chain. Thread-safe.</summary>
internal sealed class AuditDesk(DashboardOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly AuditHistory? _history = options.AuditFolder is { } folder ? new(folder) : null;
    private Task _running = Task.CompletedTask;

    /// <summary>Whether there is a log to show.</summary>
    public bool HasLog => _history is not null;

    /// <summary>The log.</summary>
    public AuditHistory History => _history ?? throw new InvalidOperationException("This dashboard was given no audit log.");

    /// <summary>A caller as the pages name it: whose key it is, where that is known, and the key's id.</summary>
    public string Told(string? caller) => caller is null ? "unknown" : options.NameOf(caller) is { } name ? $"{name} ({caller})" : caller;

    /// <summary>The last check that has ended; null: none has, since the dashboard was started.</summary>
    public ChainCheck? Last { get; private set; }

    /// <summary>Whether a check is at work.</summary>
    public bool IsChecking
    {
        get
        {
            lock (_gate) return !_running.IsCompleted;
        }
    }

    /// <summary>Checks the chain, which reads the whole log; where a check is at work already, that one counts.</summary>
    /// <param name="expected">A hash that was noted earlier and must be that of a record; null: none.</param>
    public Task CheckAsync(string? expected)
    {
        lock (_gate)
        {
            if (_running.IsCompleted) _running = Task.Run(() => Last = Check(expected));
            return _running;
        }
    }

    private ChainCheck Check(string? expected)
    {
        try
        {
            var found = AuditVerification.Of(History.Folder, expected);
            return new(time.GetUtcNow(), found);
        }
#pragma warning disable CA1031 // whatever a broken log does to the check, the page says that it could not be made
        catch (Exception problem)
        {
            return new(time.GetUtcNow(), null, problem is IOException or UnauthorizedAccessException ? problem.Message : $"The log cannot be read ({problem.GetType().Name}).");
        }
#pragma warning restore CA1031
    }
}
