using Microsoft.Extensions.Hosting;

namespace Deliberate.Server.Hosting;

/// <summary>Says when open requests must end because the server stops: some time after it was asked to, and before their connections are cut.</summary>
public sealed class Draining : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _stopping;

    /// <summary>Waits for the application to be stopped.</summary>
    public Draining(IHostApplicationLifetime lifetime, ServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(lifetime);
        ArgumentNullException.ThrowIfNull(options);
        _source = new(Timeout.InfiniteTimeSpan, options.Time);
        _stopping = lifetime.ApplicationStopping.Register(() => _source.CancelAfter(options.Grace));
    }

    /// <summary>Cancelled when open requests must end.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Dispose();
        _source.Dispose();
    }
}
