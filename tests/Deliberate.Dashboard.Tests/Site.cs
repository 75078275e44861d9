using System.Collections.Concurrent;
using System.Reflection;
using System.Security.Claims;
using Deliberate.Server.Access;
using Deliberate.Server.Dashboard;
using Deliberate.Server.Tests.Dashboard;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using Microsoft.Playwright;
using Xunit;

namespace Deliberate.Dashboard.Tests;

/// <summary>A dashboard over made-up runs on loopback, and its visitors' screenshots.</summary>
internal sealed class Site : IAsyncDisposable
{
    public const string AdminKey = "key-of-admin", AuditKey = "key-of-auditor", AuditorKey = "key-of-auditor-alone";

    private readonly WebApplication _app;

    private Site(MadeRuns runs, WebApplication app) => (Runs, _app) = (runs, app);

    public MadeRuns Runs { get; }

    /// <summary>What the browser's console complained of.</summary>
    public ConcurrentQueue<string> Complaints { get; } = [];

    public string Address => _app.Urls.First();

    public static async Task<Site> OpenAsync()
    {
        var runs = new MadeRuns().World("first-run").World("second-run", better: true).Files("own-prompts");
        var log = Path.Combine(runs.Root, "audit");
        await MadeLog.WriteAsync(log, 60, runs.Policy.Hash);
        var app = DashboardHost.Create(new()
        {
            Runs = runs.Folder,
            FindCaller = key => key switch
            {
                AdminKey => Holder("ada", Rights.Admin, Rights.Chat),
                AuditKey => Holder("audrey", Rights.Admin, Rights.Chat, Rights.Audit),
                AuditorKey => Holder("agnes", Rights.Audit),
                _ => null,
            },
            AuditFolder = log,
            PolicyFolders = [runs.PolicyFolder],
            Models = () => [new("first-run: base", () => new Talker("Here is what I know of")), new("first-run: sft+rl", () => new Talker("I can tell you in general of"))],
        }, "http://127.0.0.1:0");
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new(runs, app);
    }

    /// <summary>A page of a visitor who has logged in through the form.</summary>
    public async Task<IPage> LogInAsync(IBrowserContext window, string key = AuditKey)
    {
        var page = await window.NewPageAsync();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Complaints.Enqueue($"{page.Url}: {message.Text}");
        };
        page.PageError += (_, problem) => Complaints.Enqueue($"{page.Url}: {problem}");
        await page.GotoAsync(Address + "/dashboard");
        await page.GetByLabel("Key").FillAsync(key);
        await page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Runs", Exact = true }).WaitForAsync();
        return page;
    }

    /// <summary>Keeps a picture of the page: in the temporary folder, and in the documentation's images when DELIBERATE_SCREENSHOTS is "docs" and it is one that they show.</summary>
    public static async Task PictureAsync(IPage page, string name, string? documentedAs = null)
    {
        var docs = documentedAs is not null && Environment.GetEnvironmentVariable("DELIBERATE_SCREENSHOTS") == "docs";
        var folder = docs ? typeof(Site).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(item => item.Key == "Images").Value! : Path.Combine(Path.GetTempPath(), "deliberate-screenshots");
        Directory.CreateDirectory(folder);
        await page.ScreenshotAsync(new() { Path = Path.Combine(folder, (docs ? documentedAs : name) + ".png"), FullPage = !docs, Animations = ScreenshotAnimations.Disabled });
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Runs.Dispose();
    }

    private static ClaimsPrincipal Holder(string name, params string[] rights) => new(new ClaimsIdentity([new(ClaimTypes.Name, name), .. rights.Select(right => new Claim(Rights.Claim, right))], "test"));

    private sealed class Talker(string beginning) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => Task.FromResult(new ChatResponse(new ChatMessage(
            ChatRole.Assistant, [new TextReasoningContent($"{MadeRuns.Marker}: the reader asks, and nothing speaks against it."), new TextContent($"{beginning} “{messages.Last().Text}” (turn {messages.Count(message => message.Role == ChatRole.User)}).")])));

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
