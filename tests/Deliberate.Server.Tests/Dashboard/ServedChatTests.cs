using Deliberate.Auditing;
using Deliberate.Server.Access;
using Deliberate.Server.Chat;
using Deliberate.Server.Dashboard;
using Deliberate.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Deliberate.Server.Tests.Dashboard;

public sealed class ServedChatTests : IDisposable
{
    private readonly MadeRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData("chat", false)]
    [InlineData("both", true)]
    public async Task What_is_asked_goes_through_the_served_models_and_into_the_audit_log(string key, bool mayAudit)
    {
        await using var server = await ServeAsync(
            new("base", new SayingModel($"{MadeRuns.Marker} one", "From the base.")), new("sft+rl", new SayingModel($"{MadeRuns.Marker} two", "From the aligned.")));
        await using var visitor = await VisitAsync(server, key);
        var page = await AskAsync(visitor, "hello there");
        var text = Html.Text(page);
        Assert.Contains("From the base.", text, StringComparison.Ordinal);
        Assert.Contains("From the aligned.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("From the", Html.Text(PageTests.WithoutFolds(page)), StringComparison.Ordinal);
        Assert.Equal(mayAudit, page.Contains(MadeRuns.Marker, StringComparison.Ordinal));
        Assert.DoesNotContain(MadeRuns.Marker, PageTests.WithoutFolds(page), StringComparison.Ordinal);
        Assert.Equal(!mayAudit, text.Contains("What it thought takes the right “audit” to read.", StringComparison.Ordinal));

        var id = new KeyFile(server.KeyFile).Find(server.Keys[key])!.Id;
        var entries = new AuditHistory(server.AuditFolder).Before(new(), null, 10).Items.Select(item => item.Entry!.Exchange).OrderBy(exchange => exchange.Model).ToArray();
        Assert.Equal([("base", id, mayAudit, $"{MadeRuns.Marker} one"), ("sft+rl", id, mayAudit, $"{MadeRuns.Marker} two")],
            entries.Select(exchange => (exchange.Model, exchange.Caller!, exchange.ThinkingShown, exchange.Thinking!)));
        Assert.All(entries, exchange => Assert.Equal("hello there", Assert.Single(exchange.Conversation!).Text));
    }

    [Fact]
    public async Task One_model_alone_is_asked_once_and_is_told_what_was_said_before()
    {
        var model = new SayingModel("t", "An answer.");
        await using var server = await ServeAsync(new ServedModelOptions("m", model));
        await using var visitor = await VisitAsync(server, "chat");
        var first = await AskAsync(visitor, "one", model: "m");
        var history = System.Net.WebUtility.HtmlDecode(System.Text.RegularExpressions.Regex.Match(first, "name=\"history\" value=\"([^\"]*)\"").Groups[1].Value);
        await AskAsync(visitor, "two", history, "m");
        Assert.Equal(["one|", "one|An answer.|two|"], model.Asked.Select(asked => string.Concat(asked.Messages.Select(message => message.Text + "|"))));
    }

    [Fact]
    public async Task The_limits_of_a_key_count_here_too()
    {
        await using var server = await ServeAsync(new ServerOptions { Models = [new("base", new SayingModel("t", "Yes.")), new("sft+rl", new SayingModel("t", "No."))], RequestsPerMinute = 3 });
        await using var visitor = await VisitAsync(server, "chat");
        Assert.DoesNotContain("asked too often", await AskAsync(visitor, "one"), StringComparison.Ordinal);
        var limited = Html.Text(await AskAsync(visitor, "two"));
        Assert.Equal(2, limited.Split("Your key has asked too often").Length);
        Assert.Equal(3, new AuditHistory(server.AuditFolder).Before(new(), null, 10).Items.Count);
        // One and the same limit, whichever way the key comes.
        Assert.Equal(System.Net.HttpStatusCode.TooManyRequests, (await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat(), cancel: TestContext.Current.CancellationToken)).Status);
    }

    [Fact]
    public async Task A_model_that_fails_is_not_quoted_to_the_page_and_is_to_the_log()
    {
        var failing = new SayingModel(_ => new([]) { Failure = new InvalidOperationException($"{MadeRuns.Marker} burst") });
        await using var server = await ServeAsync(new("base", failing), new("sft+rl", new SayingModel("t", "Fine.")));
        await using var visitor = await VisitAsync(server, "both");
        var page = await AskAsync(visitor, "hello");
        Assert.Contains("The model gave no answer", page, StringComparison.Ordinal);
        Assert.Contains("Fine.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("burst", page, StringComparison.Ordinal);
        var failed = Assert.Single(new AuditHistory(server.AuditFolder).Before(new() { Outcome = AuditOutcome.Failed }, null, 10).Items);
        Assert.Contains("burst", failed.Entry!.Exchange.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_served_log_is_shown_on_the_audit_page_to_the_right_key()
    {
        await using var server = await ServeAsync(new ServedModelOptions("m", new SayingModel($"{MadeRuns.Marker} thought", "An answer.")));
        await server.SendAsync(HttpMethod.Post, "/v1/chat/completions", "chat", RunningServer.Chat("asked over the interface"), cancel: TestContext.Current.CancellationToken);
        await using var visitor = await VisitAsync(server, "audit");
        var log = Html.Text(await visitor.PageAsync("/dashboard/audit"));
        Assert.Contains("records 1 to 1", log, StringComparison.Ordinal);
        var exchange = await visitor.PageAsync("/dashboard/audit/1");
        // The caller by the name of the key, and by the id under which the log knows it.
        var caller = $"chat ({new AuditHistory(server.AuditFolder).Get(1)!.Entry!.Exchange.Caller})";
        Assert.All((string[])[log, Html.Text(exchange)], text => Assert.Contains(caller, text, StringComparison.Ordinal));
        Assert.Contains("asked over the interface", exchange, StringComparison.Ordinal);
        Assert.Contains(MadeRuns.Marker, exchange, StringComparison.Ordinal);
    }

    private Task<RunningServer> ServeAsync(params ServedModelOptions[] models) => ServeAsync(new ServerOptions { Models = models });

    private Task<RunningServer> ServeAsync(ServerOptions options) => RunningServer.StartAsync(options, builder =>
    {
        var server = builder.Services.Select(service => service.ImplementationInstance).OfType<ServerOptions>().Single();
        var keys = new KeyFile(server.KeyFile);
        builder.Services.AddDashboard(new() { Runs = _runs.Folder, AuditFolder = server.AuditFolder, FindCaller = key => keys.Find(key)?.Principal("key"), NameOf = keys.NameOf });
    }, app => app.MapDashboard());

    private static async Task<Visitor> VisitAsync(RunningServer server, string key) => await Visitor.At(server.Http.BaseAddress!).LogInAsync(server.Keys[key]);

    private static async Task<string> AskAsync(Visitor visitor, string message, string history = "", string? model = null)
    {
        using var response = await visitor.PostAsync("/dashboard/chat", "/dashboard/chat", ("first", model ?? "base"), ("second", model ?? "sft+rl"), ("message", message), ("history", history));
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
