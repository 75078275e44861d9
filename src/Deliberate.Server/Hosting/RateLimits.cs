using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Hosting;

/// <summary>Marks endpoints whose requests count against the limits of their key.</summary>
public sealed class LimitedByKey
{
    /// <summary>The mark.</summary>
    public static LimitedByKey Instance { get; } = new();

    private LimitedByKey()
    {
    }
}

/// <summary>Limits of keys: requests a minute, and requests open at a time.</summary>
internal static class RateLimits
{
    public static IServiceCollection AddRateLimits(this IServiceCollection services, ServerOptions options) => services.AddRateLimiter(limiter =>
    {
        var rate = options.RequestsPerMinute;
        limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            PartitionedRateLimiter.Create<HttpContext, string>(context => rate == 0 || Caller(context) is not { } caller ? RateLimitPartition.GetNoLimiter("")
                : RateLimitPartition.GetTokenBucketLimiter(caller, _ => new()
                {
                    TokenLimit = rate,
                    TokensPerPeriod = Math.Max(1, rate / 60),
                    ReplenishmentPeriod = rate >= 60 ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(60.0 / rate),
                })),
            PartitionedRateLimiter.Create<HttpContext, string>(context => options.OpenRequests == 0 || Caller(context) is not { } caller ? RateLimitPartition.GetNoLimiter("")
                : RateLimitPartition.GetConcurrencyLimiter(caller, _ => new() { PermitLimit = options.OpenRequests })));
        limiter.OnRejected = async (context, _) =>
        {
            var wait = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? (int)Math.Ceiling(after.TotalSeconds) : 1;
            context.HttpContext.Response.Headers.RetryAfter = Math.Max(1, wait).ToString(CultureInfo.InvariantCulture);
            await new ApiError(429, "rate_limit_error", "rate_limit_exceeded", "This key has asked too often, or has too many requests open: wait and ask again.").WriteAsync(context.HttpContext).ConfigureAwait(false);
        };
    });

    private static string? Caller(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<LimitedByKey>() is null ? null : context.User.FindFirstValue(ClaimTypes.NameIdentifier);
}
