using System.Threading.RateLimiting;

namespace Deliberate.Server.Hosting;

/// <summary>Limits of keys: requests to models a minute, and requests open at a time, whichever way they come. Thread-safe.</summary>
internal sealed class KeyLimits : IAsyncDisposable, IDisposable
{
    public KeyLimits(ServerOptions options)
    {
        var (rate, open) = (options.RequestsPerMinute, options.OpenRequests);
        Limiter = PartitionedRateLimiter.CreateChained(
            PartitionedRateLimiter.Create<string, string>(key => rate == 0 || key.Length == 0 ? RateLimitPartition.GetNoLimiter("") : RateLimitPartition.GetTokenBucketLimiter(key, _ => new()
            {
                TokenLimit = rate,
                TokensPerPeriod = Math.Max(1, rate / 60),
                ReplenishmentPeriod = rate >= 60 ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(60.0 / rate),
            })),
            PartitionedRateLimiter.Create<string, string>(key => open == 0 || key.Length == 0 ? RateLimitPartition.GetNoLimiter("")
                : RateLimitPartition.GetConcurrencyLimiter(key, _ => new() { PermitLimit = open })));
    }

    /// <summary>Limits by the id of a key; the empty one has none.</summary>
    public PartitionedRateLimiter<string> Limiter { get; }

    /// <summary>Takes one request of a key, which is open until the lease is given back; it may be refused.</summary>
    public RateLimitLease Take(string key) => Limiter.AttemptAcquire(key);

    public void Dispose() => Limiter.Dispose();

    public ValueTask DisposeAsync() => Limiter.DisposeAsync();
}
