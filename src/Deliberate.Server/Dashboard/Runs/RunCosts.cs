using Deliberate.Runs.Store;

namespace Deliberate.Server.Dashboard.Runs;

/// <summary>What runs paid, from the store of responses, which another process may be writing. Summed up anew when the store has changed, at most every five seconds. Thread-safe.</summary>
internal sealed class RunCosts(DashboardOptions options, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private StoreSummary? _summary;
    private DateTimeOffset _asked = DateTimeOffset.MinValue;

    /// <summary>What a run asked and paid; null when it used no endpoint, or there is no store.</summary>
    public RunUse? Of(RunPlace run) => Summary()?.Runs.FirstOrDefault(known => known.Run == run.Name);

    private StoreSummary? Summary()
    {
        lock (_gate)
        {
            if (options.Responses is not { } path || !File.Exists(path)) return null;
            if (time.GetUtcNow() - _asked < Patience) return _summary;
            _asked = time.GetUtcNow();
            try
            {
                using var store = ResponseStore.OpenReadOnly(path);
                _summary = StoreSummary.Of(store);
            }
            catch (Exception problem) when (problem is IOException or InvalidDataException)
            {
                _summary = null;
            }

            return _summary;
        }
    }
}
