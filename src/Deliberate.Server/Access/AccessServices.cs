using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Access;

/// <summary>Registers how callers are recognised and what they may do.</summary>
internal static class AccessServices
{
    /// <summary>Keys, the scheme of <see cref="AccessSchemes"/> and the policies of <see cref="Rights"/>. What says nothing of who may use it takes a known caller.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services, KeyFile keys)
    {
        services.AddSingleton(keys);
        services.AddAuthentication(AccessSchemes.Bearer).AddScheme<AuthenticationSchemeOptions, BearerHandler>(AccessSchemes.Bearer, null);
        var authorization = services.AddAuthorizationBuilder();
        foreach (var right in Rights.All) authorization.AddPolicy(right, policy => policy.RequireAuthenticatedUser().RequireClaim(Rights.Claim, right));
        authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        return services;
    }
}
