using Deliberate.Server.Dashboard.Runs;
using Deliberate.Server.Dashboard.Samples;
using Microsoft.AspNetCore.Http;

namespace Deliberate.Server.Dashboard.Pages;

/// <summary>Pages of samples and their reviews.</summary>
internal static class SamplePages
{
    public static IResult List(string run, HttpContext http, PageSource pages, RunsFolder runs, string? page = null)
    {
        if (runs.Find(run) is not { } place) return PageSource.NoRun(http);
        var (filter, clauses) = (SampleFilter.Read(http.Request.Query), pages.Clauses(place));
        var list = new SampleReader(place, clauses, Caller.Of(http.User)).Page(filter, RunPages.Whole(page) ?? 1);
        return pages.Page<SamplesPage>(http, (nameof(SamplesPage.Run), place.Name), (nameof(SamplesPage.Filter), filter), (nameof(SamplesPage.List), list), (nameof(SamplesPage.Clauses), clauses));
    }

    public static IResult Prompt(string run, HttpContext http, PageSource pages, RunsFolder runs, string? id = null)
    {
        if (runs.Find(run) is not { } place) return PageSource.NoRun(http);
        var clauses = pages.Clauses(place);
        var samples = id is null ? [] : new SampleReader(place, clauses, Caller.Of(http.User)).OfPrompt(id);
        return samples.Count == 0 ? PageSource.Message(http, StatusCodes.Status404NotFound, "No such prompt", "This run has no samples of a prompt of this name.")
            : pages.Page<PromptPage>(http, (nameof(PromptPage.Run), place.Name), (nameof(PromptPage.Samples), samples), (nameof(PromptPage.Clauses), clauses));
    }

    public static IResult Review(string run, HttpContext http, PageSource pages, RunsFolder runs, string? after = null)
    {
        if (runs.Find(run) is not { } place) return PageSource.NoRun(http);
        // What is reviewed is done with, unless it is asked for.
        var filter = SampleFilter.Read(http.Request.Query) is { Review: null } open ? open with { Review = "none" } : SampleFilter.Read(http.Request.Query);
        var clauses = pages.Clauses(place);
        var reader = new SampleReader(place, clauses, Caller.Of(http.User));
        return pages.Page<ReviewPage>(http, (nameof(ReviewPage.Run), place.Name), (nameof(ReviewPage.Filter), filter), (nameof(ReviewPage.List), reader.Page(filter, 1)),
            (nameof(ReviewPage.Sample), reader.First(filter, after)), (nameof(ReviewPage.Clauses), clauses));
    }

    public static async Task<IResult> DecideAsync(string run, HttpContext http, PageSource pages, RunsFolder runs, ReviewDesk desk)
    {
        if (runs.Find(run) is not { } place) return PageSource.NoRun(http);
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var problem = desk.Decide(place, Caller.Of(http.User), form);
        if (problem is not null) return PageSource.Message(http, StatusCodes.Status400BadRequest, "Not kept", problem);
        return Results.LocalRedirect(Routes.IsOwn(form["return"]) ? form["return"].ToString() : Routes.Run(place.Name, "review"));
    }
}
