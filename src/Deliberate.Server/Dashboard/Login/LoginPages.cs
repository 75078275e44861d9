using Deliberate.Server.Dashboard.Pages;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Dashboard.Login;

/// <summary>Logging in and out.</summary>
internal static class LoginPages
{
    public static IResult Show(HttpContext http) => Page(http, http.Request.Query["return"], null);

    public static async Task<IResult> LogInAsync(HttpContext http, DashboardOptions options, LoginLimiter limiter)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var back = form["return"].ToString();
        if (!limiter.IsOpen) return Page(http, back, "Too many wrong keys were tried. Wait a minute.", StatusCodes.Status429TooManyRequests);
        if (form["key"].ToString().Trim() is not { Length: > 0 and <= 512 } key || options.FindCaller(key) is not { } holder)
        {
            limiter.Fail();
            return Page(http, back, "Nobody holds this key. Take the one that was printed when the server was started.", StatusCodes.Status401Unauthorized);
        }

        var principal = KeyCookie.Principal(holder);
        await http.SignInAsync(KeyCookie.Scheme, principal);
        // Who may not look at runs would be turned away from their list.
        return Results.LocalRedirect(Routes.IsOwn(back) && back != Routes.Root ? back : Routes.HomeOf(Caller.Of(principal)));
    }

    public static async Task<IResult> LogOutAsync(HttpContext http)
    {
        await http.SignOutAsync(KeyCookie.Scheme);
        return Results.LocalRedirect(Routes.Login);
    }

    private static IResult Page(HttpContext http, string? back, string? problem, int status = StatusCodes.Status200OK) =>
        http.RequestServices.GetRequiredService<PageSource>().Page<LoginPage>(
            http, status, (nameof(LoginPage.Return), Routes.IsOwn(back) ? back! : Routes.Root), (nameof(LoginPage.Problem), problem));
}
