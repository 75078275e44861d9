using System.Threading.RateLimiting;

namespace Deliberate.Server.Dashboard.Login;

/// <summary>Slows down who tries keys: so many failures a minute for all callers together. Thread-safe.</summary>
internal sealed class LoginLimiter : IDisposable
{
    private readonly FixedWindowRateLimiter _failures = new(new() { PermitLimit = 30, Window = TimeSpan.FromMinutes(1), QueueLimit = 0 });

    /// <summary>Whether a key may be tried.</summary>
    public bool IsOpen => _failures.GetStatistics()?.CurrentAvailablePermits > 0;

    /// <summary>Notes a key that nobody holds.</summary>
    public void Fail() => _failures.AttemptAcquire().Dispose();

    public void Dispose() => _failures.Dispose();
}
