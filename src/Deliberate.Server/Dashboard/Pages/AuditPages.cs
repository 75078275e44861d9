using Deliberate.Policies;
using Deliberate.Server.Dashboard.Audit;
using Deliberate.Server.Dashboard.Policies;
using Deliberate.Server.Report;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Dashboard.Pages;

/// <summary>Pages of the audit log.</summary>
internal static class AuditPages
{
    private const int PageSize = 25;

    // A small log is checked before the page comes back; a large one goes on, and the page says so.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Lets nobody on who asks for a log that is not there.</summary>
    public static async ValueTask<object?> WithLogAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        context.HttpContext.RequestServices.GetRequiredService<AuditDesk>().HasLog ? await next(context)
            : PageSource.Message(context.HttpContext, StatusCodes.Status404NotFound, "No audit log", "This dashboard was started without an audit log.");

    public static IResult List(HttpContext http, PageSource pages, AuditDesk desk, string? id = null)
    {
        if (id?.Trim() is { Length: > 0 } sought) return Found(http, desk, sought);
        var query = AuditQuery.Read(http.Request.Query);
        var listing = query.After is { } after ? desk.History.After(query.Filter, after, PageSize) : desk.History.Before(query.Filter, query.Before, PageSize);
        return pages.Page<AuditPage>(http, (nameof(AuditPage.Query), query), (nameof(AuditPage.Listing), listing), (nameof(AuditPage.Callers), desk.History.Callers), (nameof(AuditPage.Told), (Func<string?, string>)desk.Told),
            (nameof(AuditPage.Models), desk.History.Models), (nameof(AuditPage.Check), desk.Last), (nameof(AuditPage.IsChecking), desk.IsChecking));
    }

    public static IResult Show(long number, HttpContext http, PageSource pages, AuditDesk desk, RunPolicies policies)
    {
        if (desk.History.Get(number) is not { } listed) return PageSource.Message(http, StatusCodes.Status404NotFound, "No such exchange", "The audit log has no exchange of this number.");
        if (listed.Entry is not { } entry)
            return PageSource.Message(http, StatusCodes.Status200OK, "Broken record",
                $"Record {Numbers.Count(number)} cannot be read: {listed.Problem}. Check the chain, and keep the log's folder as evidence.");
        var hash = entry.Exchange.PolicyHash;
        var policy = hash is null ? null : policies.Find(hash);
        return pages.Page<ExchangePage>(http, (nameof(ExchangePage.Entry), entry), (nameof(ExchangePage.Caller), desk.Told(entry.Exchange.Caller)), (nameof(ExchangePage.HasPolicy), policy is not null), (nameof(ExchangePage.Clauses), IndexOf(policy, hash)));
    }

    public static IResult PolicyOf(HttpContext http, PageSource pages, RunPolicies policies, string? hash = null)
    {
        if (hash is null || policies.Find(hash) is not { } policy)
            return PageSource.Message(http, StatusCodes.Status404NotFound, "No such policy", "No policy of this hash is at hand: name its folder with --policy FOLDER.");
        var clauses = RunPolicies.Clauses(policy);
        return pages.Page<AuditedPolicyPage>(http, (nameof(AuditedPolicyPage.Policy), policy), (nameof(AuditedPolicyPage.Clauses), clauses),
            (nameof(AuditedPolicyPage.Index), new ClauseIndex(clauses)));
    }

    public static async Task<IResult> CheckAsync(HttpContext http, AuditDesk desk)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var expected = form["expected"].ToString().Trim() is { Length: > 0 and <= 64 } hash ? hash : null;
        await Task.WhenAny(desk.CheckAsync(expected), Task.Delay(Patience, http.RequestAborted));
        return Results.LocalRedirect(Routes.Audit);
    }

    private static ClauseIndex IndexOf(Policy? policy, string? hash) => policy is null ? new([]) : new(RunPolicies.Clauses(policy), Routes.AuditedPolicy(hash!));

    private static IResult Found(HttpContext http, AuditDesk desk, string id)
    {
        try
        {
            return desk.History.Find(id) is { } entry ? Results.LocalRedirect(Routes.Exchange(entry.Number))
                : PageSource.Message(http, StatusCodes.Status404NotFound, "No such exchange", "The audit log has no exchange of this id.");
        }
        catch (InvalidDataException)
        {
            return PageSource.Message(http, StatusCodes.Status200OK, "Broken record", "The log has a record that cannot be read. Check the chain, and keep the log's folder as evidence.");
        }
    }
}
