using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Deliberate.Server.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Deliberate.Server.Tests.Dashboard;

public sealed class LoginTests : IDisposable
{
    private readonly MadeRuns _runs = new MadeRuns().World("made-1");

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData("/dashboard")]
    [InlineData("/dashboard/runs/made-1")]
    [InlineData("/dashboard/runs/made-1/samples")]
    [InlineData("/dashboard/runs/made-1/review")]
    [InlineData("/dashboard/runs/made-1/rl")]
    [InlineData("/dashboard/runs/made-1/policy")]
    [InlineData("/dashboard/compare")]
    [InlineData("/dashboard/pareto")]
    [InlineData("/dashboard/chat")]
    public async Task Without_a_login_every_page_leads_to_the_login(string path)
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        using var response = await visitor.SendAsync(path);
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        Assert.StartsWith("/dashboard/login", response.Headers.Location!.IsAbsoluteUri ? response.Headers.Location.PathAndQuery : response.Headers.Location.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_becomes_a_cookie_that_scripts_cannot_read_and_other_sites_cannot_send_and_that_holds_no_key()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        using var response = await visitor.PostAsync("/dashboard/login", "/dashboard/login", ("key", Visitor.AdminKey), ("return", "/dashboard/compare"));
        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"), value => value.StartsWith("deliberate-dashboard=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Visitor.AdminKey, cookie, StringComparison.Ordinal);
        Assert.Equal("/dashboard/compare", response.Headers.Location!.OriginalString);
        Assert.Contains("ada", await visitor.PageAsync("/dashboard"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_ends_when_its_key_is_withdrawn()
    {
        var known = true;
        await using var visitor = await Visitor.ToAsync(_runs, options => options.IsStillCaller = caller => known && caller.Identity?.Name == "ada");
        using (await visitor.PostAsync("/dashboard/login", "/dashboard/login", ("key", Visitor.AdminKey))) Assert.Contains("ada", await visitor.PageAsync("/dashboard"), StringComparison.Ordinal);
        known = false;
        using var response = await visitor.SendAsync("/dashboard");
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
    }

    [Theory]
    [InlineData("https://elsewhere.example/dashboard")]
    [InlineData("//elsewhere.example/dashboard")]
    [InlineData("/dashboard/../elsewhere\\")]
    [InlineData("/dashboardelsewhere")]
    [InlineData("/dashboard/\r\nX-Bad: 1")]
    public async Task A_login_leads_to_the_dashboard_and_nowhere_else(string back)
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        using var response = await visitor.PostAsync("/dashboard/login", "/dashboard/login", ("key", Visitor.AdminKey), ("return", back));
        Assert.Equal("/dashboard", response.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData("")]
    [InlineData("wrong")]
    public async Task A_key_that_nobody_holds_is_told_and_lets_nobody_in(string key)
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        using var response = await visitor.PostAsync("/dashboard/login", "/dashboard/login", ("key", key), ("return", "/dashboard"));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains("Nobody holds this key", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        using var after = await visitor.SendAsync("/dashboard");
        Assert.Equal(HttpStatusCode.Redirect, after.StatusCode);
    }

    [Fact]
    public async Task After_many_wrong_keys_none_is_tried()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 31; i++)
        {
            using var wrong = await visitor.PostAsync("/dashboard/login", "/dashboard/login", ("key", $"wrong {i}"));
            statuses.Add(wrong.StatusCode);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, statuses[^1]);
        Assert.All(statuses.SkipLast(1), status => Assert.Equal(HttpStatusCode.Unauthorized, status));
    }

    [Fact]
    public async Task Logging_out_ends_the_login()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AdminKey);
        using var response = await visitor.PostAsync("/dashboard", "/dashboard/logout");
        using var after = await visitor.SendAsync("/dashboard");
        Assert.Equal(HttpStatusCode.Redirect, after.StatusCode);
    }

    [Fact]
    public async Task Beside_another_way_to_authenticate_the_dashboard_goes_by_its_own_login_alone()
    {
        await using var visitor = await Visitor.ToAsync(_runs, services: services => services.AddAuthentication("other").AddScheme<AuthenticationSchemeOptions, Everybody>("other", null));
        using var outside = await visitor.SendAsync("/dashboard");
        Assert.Equal(HttpStatusCode.Redirect, outside.StatusCode);
        await visitor.LogInAsync(Visitor.AdminKey);
        Assert.Contains("ada", await visitor.PageAsync("/dashboard"), StringComparison.Ordinal);
        using var response = await visitor.PostAsync("/dashboard", "/dashboard/logout");
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        using var after = await visitor.SendAsync("/dashboard");
        Assert.Equal(HttpStatusCode.Redirect, after.StatusCode);
    }

    [Fact]
    public async Task A_right_that_is_missing_is_told_as_such()
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.ChatKey);
        using var response = await visitor.SendAsync("/dashboard/runs/made-1/samples");
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("does not have the right", page, StringComparison.Ordinal);
        Assert.DoesNotContain("train-0", page, StringComparison.Ordinal);
        Assert.Contains("Two models side by side", await visitor.PageAsync("/dashboard/chat"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dashboard/login")]
    [InlineData("/dashboard/logout")]
    [InlineData("/dashboard/runs/made-1/reviews")]
    [InlineData("/dashboard/chat")]
    public async Task A_form_of_another_site_is_not_taken(string path)
    {
        await using var visitor = await Visitor.ToAsync(_runs);
        await visitor.LogInAsync(Visitor.AuditKey);
        using var response = await visitor.PostAsync(path, ("key", Visitor.AdminKey), ("sample", "train-0#0"), ("decision", "reject"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.False(File.Exists(_runs.PathOf("made-1", "reviews.jsonl")));
    }

    // Finds everybody to have every right.
    private sealed class Everybody(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var everybody = new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, "everybody"), .. Rights.All.Select(right => new Claim(Rights.Claim, right))], Scheme.Name));
            return Task.FromResult(AuthenticateResult.Success(new(everybody, Scheme.Name)));
        }
    }
}
