using Deliberate.Auditing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Deliberate.Server.Hosting;

/// <summary>Deletes and redacts, every hour, what the audit log may keep no longer.</summary>
internal sealed partial class AuditKeeper(AuditLog log, ServerOptions options, ILogger<AuditKeeper> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), options.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                try
                {
                    await log.CleanAsync().ConfigureAwait(false);
                }
                catch (Exception problem) when (problem is IOException or InvalidDataException or UnauthorizedAccessException)
                {
                    // These messages name files and lines, and quote nothing.
                    Failed(logger, problem.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the server stops
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The audit log cannot be cleaned: {Problem}")]
    private static partial void Failed(ILogger logger, string problem);
}
