using System.Net;
using Deliberate.Auditing;
using Deliberate.Server.Access;
using Deliberate.Server.Audit;
using Deliberate.Server.Chat;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Deliberate.Server.Hosting;

/// <summary>Puts a server together: keys, limits, models, audit log.</summary>
public static class DeliberateServer
{
    /// <summary>Builds a server, which the caller starts, stops and disposes.</summary>
    /// <param name="options">What it serves, where, and within which limits.</param>
    /// <param name="configure">Adds services and logging. Nothing is logged if nothing is added.</param>
    /// <param name="map">Maps further addresses. What it maps without a word on who may use it takes a caller with a key of any right.</param>
    /// <exception cref="InvalidDataException">The file of keys or the audit log is broken.</exception>
    /// <exception cref="IOException">The audit log is in use by another process.</exception>
    /// <exception cref="ArgumentException">It would listen beyond the loopback without a key that was made before.</exception>
    public static WebApplication Build(ServerOptions options, Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var keys = new KeyFile(options.KeyFile);
        var loopback = IPAddress.IsLoopback(options.Listen.Address);
        if (!loopback && keys.Keys.Count == 0)
            throw new ArgumentException($"{options.Listen} can be reached from other machines, and {options.KeyFile} has no key: make one with `deliberate keys add`, or listen on 127.0.0.1.");
        // Settings that happen to lie in the current directory are not meant for this server.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = typeof(DeliberateServer).Assembly.GetName().Name,
            EnvironmentName = Environments.Production,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(options.Listen);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        });
        // Open requests get the grace to end, and a moment more to say that they were broken off.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Grace + TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton(options).AddSingleton(options.Time).AddSingleton<Draining>().AddSingleton<ServedModels>().AddAccess(keys).AddRateLimits();
        // A page of another site that has its name point to this machine does not get to talk to it.
        if (loopback) builder.Services.AddHostFiltering(filter => (filter.AllowedHosts, filter.IncludeFailureMessage) = (["localhost", "127.0.0.1", "[::1]"], false));
        if (options.AuditFolder is { } folder)
        {
            builder.Services.AddSingleton(_ => AuditLog.Open(folder, options.Audit, options.Time));
            builder.Services.AddHostedService<AuditKeeper>();
        }

        configure?.Invoke(builder);
        var app = builder.Build();
        try
        {
            // Made now, so that what is wrong is told of before the first request.
            _ = app.Services.GetService<AuditLog>();
            _ = app.Services.GetRequiredService<ServedModels>();
            _ = app.Services.GetRequiredService<Draining>();
        }
        catch
        {
            ((IDisposable)app).Dispose();
            throw;
        }

        app.UseMiddleware<ErrorMiddleware>();
        if (loopback) app.UseHostFiltering();
        app.UseRouting();
        app.UseAuthentication();
        app.UseRateLimiter();
        app.UseAuthorization();
        app.MapGet("/health", () => Results.Json(new { status = "ok" })).AllowAnonymous();
        app.MapChat();
        if (options.AuditFolder is not null) app.MapAudit();
        map?.Invoke(app);
        app.MapFallback("/v1/{**path}", context => new ApiError(404, "invalid_request_error", "not_found", "There is nothing at this address.").WriteAsync(context));
        return app;
    }
}
