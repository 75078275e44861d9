using Deliberate.Server.Dashboard.Pages;
using Deliberate.Server.Dashboard.Policies;
using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Report;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Dashboard;

/// <summary>Makes pages of components and what they show. Thread-safe.</summary>
internal sealed class PageSource(IAntiforgery forms, RunPolicies policies, DashboardOptions options)
{
    /// <summary>A page with the context that every page has.</summary>
    public IResult Page<T>(HttpContext http, int status, params ReadOnlySpan<(string Name, object? Value)> parameters) where T : IComponent
    {
        var all = new Dictionary<string, object?> { ["Context"] = Context(http) };
        foreach (var (name, value) in parameters) all[name] = value;
        return new RazorComponentResult<T>(all) { StatusCode = status, PreventStreamingRendering = true };
    }

    /// <summary>A page that was found.</summary>
    public IResult Page<T>(HttpContext http, params ReadOnlySpan<(string Name, object? Value)> parameters) where T : IComponent => Page<T>(http, StatusCodes.Status200OK, parameters);

    /// <summary>A page that says in one line what is the matter.</summary>
    public static IResult Message(HttpContext http, int status, string title, string message) =>
        http.RequestServices.GetRequiredService<PageSource>().Page<MessagePage>(http, status, (nameof(MessagePage.Title), title), (nameof(MessagePage.Message), message));

    /// <summary>The page for a run that is not there.</summary>
    public static IResult NoRun(HttpContext http) => Message(http, StatusCodes.Status404NotFound, "No such run", "There is no run of this name in the folder.");

    /// <summary>Where the clauses of a run's policy stand.</summary>
    public ClauseIndex Clauses(RunPlace run) => new(policies.Clauses(run), Routes.Run(run.Name, "policy"));

    private PageContext Context(HttpContext http)
    {
        var tokens = forms.GetAndStoreTokens(http);
        return new(Caller.Of(http.User), tokens.FormFieldName, tokens.RequestToken!, http.Request.Path, options.AuditFolder is not null);
    }
}
