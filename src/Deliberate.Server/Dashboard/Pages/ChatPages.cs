using System.Text.Json;
using Deliberate.Server.Dashboard.Chat;
using Deliberate.Server.Hosting;
using Deliberate.Server.Report;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Deliberate.Server.Dashboard.Pages;

/// <summary>The chat page.</summary>
internal static class ChatPages
{
    private const int MaxTurns = 20, MaxCharacters = 20_000;

    public static IResult Show(HttpContext http, PageSource pages, ChatModels chat)
    {
        var models = chat.List();
        string? first = models is [var one, ..] ? one.Name : null, second = models.LastOrDefault(model => model.Group == models[0].Group)?.Name;
        return Page(http, pages, models, first ?? "", second ?? "");
    }

    public static async Task<IResult> AskAsync(HttpContext http, PageSource pages, ChatModels chat)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var models = chat.List();
        var (first, second) = (models.FirstOrDefault(model => model.Name == form["first"]), models.FirstOrDefault(model => model.Name == form["second"]));
        var message = form["message"].ToString().ReplaceLineEndings("\n").Trim();
        if (first is null || second is null || message.Length is 0 or > MaxCharacters)
            return PageSource.Message(http, StatusCodes.Status400BadRequest, "Not asked", $"Choose two models of the list, and write a message of at most {MaxCharacters} characters.");
        var before = Read(form["history"].ToString());
        var caller = Caller.Of(http.User);
        var stop = http.RequestServices.GetService<Draining>()?.Token ?? CancellationToken.None;
        Task<ChatReply> Ask(DashboardModel model, Func<ChatExchange, string> answer) =>
            SideBySide.AskAsync(model, before.Select(turn => (turn.User, answer(turn))), message, caller, stop, http.RequestAborted);
        List<Task<ChatReply>> asked = [Ask(first, turn => turn.First)];
        // Where there is one model alone, it is asked once.
        if (models.Count > 1) asked.Add(Ask(second, turn => turn.Second));
        var replies = await Task.WhenAll(asked);
        ChatExchange[] now = [.. before, new(message, replies[0].Answer, models.Count > 1 ? replies[1].Answer : "")];
        return Page(http, pages, models, first.Name, second.Name, (nameof(ChatPage.Before), before), (nameof(ChatPage.Asked), message),
            (nameof(ChatPage.Replies), replies), (nameof(ChatPage.History), JsonSerializer.Serialize(now)));
    }

    private static IResult Page(
        HttpContext http, PageSource pages, IReadOnlyList<DashboardModel> models, string first, string second, params ReadOnlySpan<(string, object?)> more) => pages.Page<ChatPage>(http,
        [
            (nameof(ChatPage.Models), (string[])[.. models.Select(model => model.Name)]), (nameof(ChatPage.First), first), (nameof(ChatPage.Second), second),
            (nameof(ChatPage.IsAudited), models.Any(model => model.IsServed)), (nameof(ChatPage.Clauses), new ClauseIndex([])), .. more,
        ]);

    // It comes back from the browser: whoever changed it has only changed what the models are told was said.
    private static ChatExchange[] Read(string history)
    {
        try
        {
            var turns = history.Length == 0 ? [] : JsonSerializer.Deserialize<ChatExchange[]>(history) ?? [];
            return [.. turns.TakeLast(MaxTurns).Where(turn => turn is { User: not null, First: not null, Second: not null })];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
