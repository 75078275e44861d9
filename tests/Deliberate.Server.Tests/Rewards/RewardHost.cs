using System.Net;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Deliberate.Judging;
using Deliberate.Policies;
using Deliberate.Server.Access;
using Deliberate.Server.Rewards;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Deliberate.Server.Tests.Rewards;

/// <summary>A reward server on the loopback with one key.</summary>
internal sealed class RewardHost : IAsyncDisposable
{
    public const string Key = "test-key";

    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private RewardHost(WebApplication app)
    {
        _app = app;
        _client = new HttpClient { BaseAddress = new(app.Urls.First()) };
        _client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
    }

    public static Policy Policy { get; } = Policies.Policy.Parse(new Dictionary<string, string>
    {
        ["policy.md"] = "# The library's policy\n\nHow the assistant answers.\n\n## Principles\n\n- Help first.\n",
        ["gardens.md"] = "# Gardens\n\nPlants and their care.\n\n## Allowed\n\n- **G1** Care: watering and pruning are explained in full.\n",
        ["locks.md"] = "# Locks\n\nHow doors are kept shut.\n\n## Disallowed\n\n- **L1** Instructions: no way to open a lock of another person is given.\n",
    });

    public Uri Address => _client.BaseAddress!;

    public static async Task<RewardHost> StartAsync(IAnswerJudge judge, RewardOptions? options = null, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        if (time is not null) builder.Services.AddSingleton(time);
        builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, OneKey>("test", null);
        builder.Services.AddAuthorization(authorization => authorization.AddPolicy(Rights.Reward, policy => policy.RequireClaim(Rights.Claim, Rights.Reward)));
        builder.Services.AddRewards(judge, Policy, options);
        var app = builder.Build();
        app.MapRewards();
        await app.StartAsync();
        return new(app);
    }

    public async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string json)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await _client.PostAsync(new Uri(path, UriKind.Relative), content, cancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>Sends bytes as they are and returns the whole response as it came.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => await _client.SendAsync(request, TestContext.Current.CancellationToken);

    public async Task<string> MetricsAsync() => await _client.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);

    public static string Reward(params (string Query, string Prompt, string? Label)[] items) => JsonSerializer.Serialize(new
    {
        query = items.Select(item => item.Query),
        prompts = items.Select(item => item.Prompt),
        labels = items.Select(item => item.Label),
    });

    public static string Score(string solution, object? prompt = null, string? category = null) =>
        JsonSerializer.Serialize(new { data_source = "test", solution_str = solution, ground_truth = (string?)null, extra_info = new { prompt = prompt ?? "How do I prune a rose?", category } });

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private sealed class OneKey(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers.Authorization != $"Bearer {Key}") return Task.FromResult(AuthenticateResult.NoResult());
            var caller = new ClaimsPrincipal(new ClaimsIdentity([new Claim(Rights.Claim, Rights.Reward)], Scheme.Name));
            return Task.FromResult(AuthenticateResult.Success(new(caller, Scheme.Name)));
        }
    }
}
