using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Deliberate.Server.Dashboard;

/// <summary>A server of the dashboard alone.</summary>
public static class DashboardHost
{
    /// <summary>Makes the server; it listens when it is started, and is the caller's to dispose.</summary>
    /// <param name="options">What it shows and whom it lets in.</param>
    /// <param name="urls">Addresses to listen at, such as http://127.0.0.1:5050; port 0 takes a free one.</param>
    public static WebApplication Create(DashboardOptions options, params string[] urls)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls(urls);
        builder.WebHost.ConfigureKestrel(server => server.AddServerHeader = false);
        // A request's address may hold words that were looked for; failures are told on the page.
        builder.Logging.ClearProviders();
        builder.Services.AddDashboard(options);
        var app = builder.Build();
        app.MapDashboard();
        app.MapGet("/", () => Results.LocalRedirect(Routes.Root));
        return app;
    }
}
