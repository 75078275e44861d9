using Deliberate.Server.Access;
using Deliberate.Server.Dashboard.Audit;
using Deliberate.Server.Dashboard.Chat;
using Deliberate.Server.Dashboard.Login;
using Deliberate.Server.Dashboard.Pages;
using Deliberate.Server.Dashboard.Policies;
using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Dashboard.Samples;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Deliberate.Server.Dashboard;

/// <summary>Puts the dashboard into a web application.</summary>
public static class DashboardExtensions
{
    /// <summary>
    /// Adds what the dashboard needs: its login by key, which is a cookie of its own beside whatever else the application authenticates with, and its readers of run folders.
    /// </summary>
    /// <remarks>Cookies are valid as long as the process lives: their keys are kept in memory.</remarks>
    public static IServiceCollection AddDashboard(this IServiceCollection services, DashboardOptions options)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton<RunsFolder>().AddSingleton<RateMeter>().AddSingleton<RunStates>().AddSingleton<RunCosts>().AddSingleton<RunPolicies>();
        services.AddSingleton<PageSource>().AddSingleton<ReviewDesk>().AddSingleton<LoginLimiter>().AddSingleton<AuditDesk>().AddSingleton<ChatModels>();
        services.AddRazorComponents();
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddAntiforgery(forms =>
        {
            forms.FormFieldName = "form-token";
            forms.HeaderName = null;
            forms.Cookie.Name = "deliberate-form";
            forms.Cookie.SameSite = SameSiteMode.Strict;
            forms.Cookie.Path = Routes.Root;
        });
        services.AddAuthentication().AddCookie(KeyCookie.Scheme, cookie => KeyCookie.SetUp(cookie, options));
        services.AddAuthorization();
        return services;
    }

    /// <summary>
    /// Adds the dashboard's pages below <c>/dashboard</c>. They let in by their own login alone; runs take the right <c>admin</c>, the chat page <c>chat</c>, the audit
    /// log <c>audit</c>.
    /// </summary>
    public static IEndpointConventionBuilder MapDashboard(this IEndpointRouteBuilder routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        var all = routes.MapGroup(Routes.Root).AddEndpointFilter(PageHeaders.AddAsync).AddEndpointFilter(KeyCookie.IdentifyAsync).ExcludeFromDescription();
        all.MapGet("/assets/{name}", Assets.Get).AllowAnonymous();
        all.MapGet("/login", LoginPages.Show).AllowAnonymous();
        all.MapPost("/login", LoginPages.LogInAsync).AddEndpointFilter(FormGuard.CheckAsync).AllowAnonymous();
        all.MapPost("/logout", (Delegate)LoginPages.LogOutAsync).AddEndpointFilter(FormGuard.CheckAsync).AllowAnonymous();

        var runs = all.MapGroup("").RequireAuthorization(Having(Rights.Admin));
        runs.MapGet("/", RunPages.List);
        runs.MapGet("/runs/{run}", RunPages.Overview);
        runs.MapGet("/runs/{run}/samples", SamplePages.List);
        runs.MapGet("/runs/{run}/prompt", SamplePages.Prompt);
        runs.MapGet("/runs/{run}/review", SamplePages.Review);
        runs.MapPost("/runs/{run}/reviews", SamplePages.DecideAsync).AddEndpointFilter(FormGuard.CheckAsync);
        runs.MapGet("/runs/{run}/rl", RunPages.Reinforcement);
        runs.MapGet("/runs/{run}/policy", RunPages.PolicyOf);
        runs.MapGet("/compare", ComparisonPages.Compare);
        runs.MapGet("/pareto", ComparisonPages.Pareto);

        var chat = all.MapGroup("").RequireAuthorization(Having(Rights.Chat));
        chat.MapGet("/chat", ChatPages.Show);
        chat.MapPost("/chat", ChatPages.AskAsync).AddEndpointFilter(FormGuard.CheckAsync);

        var audit = all.MapGroup("/audit").RequireAuthorization(Having(Rights.Audit)).AddEndpointFilter(AuditPages.WithLogAsync);
        audit.MapGet("", AuditPages.List);
        audit.MapGet("/{number:long}", AuditPages.Show);
        audit.MapGet("/policy", AuditPages.PolicyOf);
        audit.MapPost("/check", AuditPages.CheckAsync).AddEndpointFilter(FormGuard.CheckAsync);
        return all;
    }

    // By the dashboard's own login alone: a page that a browser shows must not take a key that another site's page could send along.
    private static AuthorizationPolicy Having(string right) => new AuthorizationPolicyBuilder(KeyCookie.Scheme).RequireAuthenticatedUser().RequireClaim(Rights.Claim, right).Build();
}
