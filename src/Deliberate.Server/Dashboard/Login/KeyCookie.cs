using System.Security.Claims;
using Deliberate.Server.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Dashboard.Login;

/// <summary>The dashboard's login: a key, given once by form, becomes a cookie that scripts cannot read and other sites cannot send. The key is not in it.</summary>
internal static class KeyCookie
{
    /// <summary>Name of the authentication scheme.</summary>
    public const string Scheme = "deliberate-dashboard";

    public static void SetUp(CookieAuthenticationOptions cookie, DashboardOptions options)
    {
        cookie.Cookie.Name = Scheme;
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Strict;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        cookie.Cookie.Path = Routes.Root;
        cookie.ExpireTimeSpan = options.LoginLifetime;
        cookie.SlidingExpiration = true;
        cookie.LoginPath = Routes.Login;
        cookie.ReturnUrlParameter = "return";
        cookie.Events.OnRedirectToAccessDenied = Forbid;
        cookie.Events.OnValidatePrincipal = context =>
        {
            if (context.Principal is { } holder && !options.IsStillCaller(holder)) context.RejectPrincipal();
            return Task.CompletedTask;
        };
    }

    /// <summary>The principal that a cookie carries for the holder of a key: its id, its name and its rights, and nothing else of it.</summary>
    public static ClaimsPrincipal Principal(ClaimsPrincipal holder)
    {
        var caller = Caller.Of(new ClaimsPrincipal(new ClaimsIdentity(holder.Claims, Scheme, holder.Identities.FirstOrDefault()?.NameClaimType ?? ClaimTypes.Name, ClaimTypes.Role)));
        var rights = caller.Rights.Order(StringComparer.Ordinal).Select(right => new Claim(Rights.Claim, right));
        return new(new ClaimsIdentity([.. holder.FindAll(ClaimTypes.NameIdentifier), new(ClaimTypes.Name, caller.Name), .. rights], Scheme, ClaimTypes.Name, ClaimTypes.Role));
    }

    /// <summary>Makes whoever has logged in here the caller, on pages for everybody too; what else the application authenticates by counts for nothing here.</summary>
    public static async ValueTask<object?> IdentifyAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        http.User = (await http.AuthenticateAsync(Scheme)).Principal ?? new ClaimsPrincipal(new ClaimsIdentity());
        return await next(context);
    }

    private static Task Forbid(RedirectContext<CookieAuthenticationOptions> context)
    {
        var result = PageSource.Message(context.HttpContext, StatusCodes.Status403Forbidden, "Not allowed",
            "Your key does not have the right that this page takes. Log out, and log in with one that has.");
        PageHeaders.Add(context.HttpContext);
        return result.ExecuteAsync(context.HttpContext);
    }
}
