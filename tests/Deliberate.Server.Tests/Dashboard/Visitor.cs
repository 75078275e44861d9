using System.Net;
using System.Security.Claims;
using System.Text.RegularExpressions;
using Deliberate.Server.Access;
using Deliberate.Server.Dashboard;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Deliberate.Server.Tests.Dashboard;

/// <summary>A dashboard that listens on loopback, and a browser without a screen that visits it.</summary>
internal sealed partial class Visitor : IAsyncDisposable
{
    /// <summary>Keys by what their holders may do.</summary>
    public const string AdminKey = "key-of-admin", AuditKey = "key-of-auditor", ChatKey = "key-of-chat", AuditorKey = "key-of-auditor-alone";

    private readonly WebApplication? _app;
    private readonly HttpClient _client;

    private Visitor(Uri address, WebApplication? app)
    {
        _app = app;
        Handler = new() { AllowAutoRedirect = false, CookieContainer = new(), UseCookies = true };
        _client = new(Handler) { BaseAddress = address };
    }

    public HttpClientHandler Handler { get; }

    public Uri Address => _client.BaseAddress!;

    public static async Task<Visitor> ToAsync(MadeRuns runs, Action<DashboardOptions>? set = null, Action<IServiceCollection>? services = null)
    {
        var options = new DashboardOptions { Runs = runs.Folder, FindCaller = FindCaller, PolicyFolders = [runs.PolicyFolder] };
        set?.Invoke(options);
        var app = services is null ? DashboardHost.Create(options, "http://127.0.0.1:0") : Beside(options, services);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new(new(app.Urls.First()), app);
    }

    /// <summary>A visitor of a server that is running already.</summary>
    public static Visitor At(Uri address) => new(address, null);

    // As an application has the dashboard among its own pages.
    private static WebApplication Beside(DashboardOptions options, Action<IServiceCollection> services)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        services(builder.Services);
        builder.Services.AddDashboard(options);
        var app = builder.Build();
        app.MapDashboard();
        return app;
    }

    public static ClaimsPrincipal? FindCaller(string key) => key switch
    {
        AdminKey => Holder("ada", Rights.Admin, Rights.Chat),
        AuditKey => Holder("audrey", Rights.Admin, Rights.Chat, Rights.Audit),
        ChatKey => Holder("charles", Rights.Chat),
        AuditorKey => Holder("agnes", Rights.Audit),
        _ => null,
    };

    public Task<HttpResponseMessage> SendAsync(string path) => _client.GetAsync(path, TestContext.Current.CancellationToken);

    public async Task<string> PageAsync(string path)
    {
        using var response = await SendAsync(path);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {response.StatusCode}");
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Sends a form with the token that a page of the dashboard carries.</summary>
    public async Task<HttpResponseMessage> PostAsync(string page, string path, params (string Name, string Value)[] fields)
    {
        var token = Token().Match(await PageAsync(page)).Groups[1].Value;
        return await PostAsync(path, [("form-token", token), .. fields]);
    }

    public Task<HttpResponseMessage> PostAsync(string path, params (string Name, string Value)[] fields) =>
        _client.PostAsync(path, new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))), TestContext.Current.CancellationToken);

    public async Task<Visitor> LogInAsync(string key)
    {
        using var response = await PostAsync("/dashboard/login", "/dashboard/login", ("key", key), ("return", "/dashboard"));
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        Handler.Dispose();
        if (_app is not null) await _app.DisposeAsync();
    }

    private static ClaimsPrincipal Holder(string name, params string[] rights) => new(new ClaimsIdentity([new(ClaimTypes.Name, name), .. rights.Select(right => new Claim(Rights.Claim, right))], "test"));

    [GeneratedRegex("name=\"form-token\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
