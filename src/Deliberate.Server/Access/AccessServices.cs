using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Access;

/// <summary>Registers how callers are recognised and what they may do.</summary>
internal static class AccessServices
{
    /// <summary>Keys, the schemes of <see cref="AccessSchemes"/> and the policies of <see cref="Rights"/>. What says nothing of who may use it takes a known caller.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services, KeyFile keys)
    {
        services.AddSingleton(keys);
        // Cookies are good for one run of the server: its secret is kept in memory alone.
        services.AddSingleton<IDataProtectionProvider, EphemeralDataProtectionProvider>();
        services.AddAuthentication(AccessSchemes.Either)
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(AccessSchemes.Bearer, null)
            .AddCookie(AccessSchemes.Cookie, cookie =>
            {
                cookie.Cookie.Name = "deliberate";
                cookie.Cookie.HttpOnly = true;
                cookie.Cookie.SameSite = SameSiteMode.Strict;
                cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                cookie.ExpireTimeSpan = TimeSpan.FromHours(12);
                cookie.LoginPath = "/login";
                cookie.AccessDeniedPath = "/denied";
                // A key that was withdrawn, or has other rights now, ends its sessions.
                cookie.Events.OnValidatePrincipal = context =>
                {
                    var id = context.Principal?.FindFirstValue(ClaimTypes.NameIdentifier);
                    if (keys.Keys.FirstOrDefault(key => key.Id == id) is { } key) context.ReplacePrincipal(key.Principal(AccessSchemes.Cookie));
                    else context.RejectPrincipal();
                    return Task.CompletedTask;
                };
            })
            .AddPolicyScheme(AccessSchemes.Either, null, either => either.ForwardDefaultSelector = context => SchemeOf(context.Request));
        var authorization = services.AddAuthorizationBuilder();
        foreach (var right in Rights.All) authorization.AddPolicy(right, policy => policy.RequireAuthenticatedUser().RequireClaim(Rights.Claim, right));
        authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        return services;
    }

    private static string SchemeOf(HttpRequest request) =>
        request.Headers.Authorization.Count > 0 || request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase) ? AccessSchemes.Bearer
        : request.Cookies.ContainsKey("deliberate") || request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase) ? AccessSchemes.Cookie
        : AccessSchemes.Bearer;
}
