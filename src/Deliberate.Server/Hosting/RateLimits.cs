using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
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

/// <summary>Holds requests to the limits of their keys.</summary>
internal static class RateLimits
{
    public static IServiceCollection AddRateLimits(this IServiceCollection services)
    {
        services.AddSingleton<KeyLimits>().AddRateLimiter(static _ => { });
        services.AddOptions<RateLimiterOptions>().Configure<KeyLimits>((limiter, limits) =>
        {
            limiter.GlobalLimiter = limits.Limiter.WithTranslatedKey<HttpContext>(Caller, leaveOpen: true);
            limiter.OnRejected = async (context, _) =>
            {
                var wait = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? (int)Math.Ceiling(after.TotalSeconds) : 1;
                context.HttpContext.Response.Headers.RetryAfter = Math.Max(1, wait).ToString(CultureInfo.InvariantCulture);
                var error = new ApiError(429, "rate_limit_error", "rate_limit_exceeded", "This key has asked too often, or has too many requests open: wait and ask again.");
                await error.WriteAsync(context.HttpContext).ConfigureAwait(false);
            };
        });
        return services;
    }

    // Empty for requests that no limit is for.
    private static string Caller(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<LimitedByKey>() is null ? "" : context.User.FindFirstValue(ClaimTypes.NameIdentifier) ?? "";
}
