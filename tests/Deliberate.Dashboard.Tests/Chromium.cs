using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(Deliberate.Dashboard.Tests.Chromium))]

namespace Deliberate.Dashboard.Tests;

/// <summary>One Chromium for all tests: that of DELIBERATE_CHROMIUM, else the system's own. Without one, the tests are skipped and say so.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Variable = "DELIBERATE_CHROMIUM";
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Why there is no browser; null when there is one.</summary>
    public static string? Missing { get; } = PathOf() is null ? $"no Chromium: install it (Debian: apt-get install chromium) or name it in {Variable}" : null;

    public async ValueTask InitializeAsync()
    {
        if (PathOf() is not { } path) return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = path, Args = ["--no-sandbox", "--disable-gpu"] });
    }

    /// <summary>A fresh browser window; skips the test when there is no browser.</summary>
    public async Task<IBrowserContext> WindowAsync(int width = 1600, int height = 900, ColorScheme scheme = ColorScheme.Light, bool scripts = true)
    {
        Assert.SkipWhen(_browser is null, Missing ?? "no Chromium");
        return await _browser!.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme, JavaScriptEnabled = scripts, ReducedMotion = ReducedMotion.Reduce });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    private static string? PathOf() => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser" }.FirstOrDefault(File.Exists);
}
