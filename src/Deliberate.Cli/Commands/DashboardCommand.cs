using System.CommandLine;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Deliberate.Cli.Interaction;
using Deliberate.Pipeline.Clients;
using Deliberate.Server.Access;
using Deliberate.Server.Dashboard;

namespace Deliberate.Cli.Commands;

/// <summary><c>dashboard</c>: runs as pages in a browser, live while they are at work.</summary>
internal sealed class DashboardCommand : Command
{
    private readonly Argument<string> _folder = new("FOLDER") { Description = "The folder that holds the runs, or one run's folder.", DefaultValueFactory = _ => "runs" };
    private readonly Option<string> _urls = new("--urls") { HelpName = "URL", Description = "Where to listen; port 0 takes a free one.", DefaultValueFactory = _ => "http://127.0.0.1:5050" };
    private readonly Option<string[]> _policy = new("--policy") { HelpName = "FOLDER", Description = "A policy of the runs, where they do not say where theirs lies; may be given several times." };
    private readonly Option<string> _responses = new("--responses") { HelpName = "FILE", Description = "The store of endpoints' responses, for what runs cost.", DefaultValueFactory = _ => ModelRoles.DefaultResponses };
    private readonly Option<bool> _showThinking = new("--show-thinking") { Description = "The key may also read what models think." };
    private readonly Terminal _terminal;

    public DashboardCommand(Terminal terminal) : base("dashboard", "Show runs as pages in a browser: stages, samples with their verdicts, reviews, training, policies, comparisons, chat. Prints the key to log in with.")
    {
        _terminal = terminal;
        Arguments.Add(_folder);
        foreach (var option in (Option[])[_urls, _policy, _responses, _showThinking]) Options.Add(option);
        Validators.Add(result =>
        {
            if (result.GetValue(_urls) is { } url && (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp || address.PathAndQuery != "/"))
                result.AddError($"--urls takes an address such as http://127.0.0.1:5050; '{url}' is not.");
        });
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var (folder, url) = (parse.GetRequiredValue(_folder), parse.GetRequiredValue(_urls));
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"{folder}: not there. Name the folder that holds your runs, or start one with deliberate run --out {Path.Combine(folder, "my-run")}.");
        foreach (var policy in parse.GetValue(_policy) ?? []) Policies.Policy.Load(policy);
        var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        using var models = new RunModels(folder);
        var app = DashboardHost.Create(new()
        {
            Runs = folder,
            FindCaller = KeyOf(key, parse.GetValue(_showThinking) ? [Rights.Admin, Rights.Chat, Rights.Audit] : [Rights.Admin, Rights.Chat]),
            Responses = parse.GetRequiredValue(_responses),
            PolicyFolders = parse.GetValue(_policy) ?? [],
            Models = models.List,
        }, url);
        await using (app.ConfigureAwait(false))
        {
            await app.StartAsync(cancel);
            _terminal.Results.WriteLine($"dashboard: {app.Urls.First().TrimEnd('/')}/dashboard");
            _terminal.Results.WriteLine($"key:       {key}");
            _terminal.Results.Flush();
            if (!IsLoopback(url)) _terminal.Note($"{url} can be reached from other machines, and without encryption: the key and all pages can be read on the way. Put a proxy with TLS before it.");
            _terminal.Note("Log in with the key; it is shown this once. Ctrl-C ends the dashboard.");
            try
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }
            catch (OperationCanceledException)
            {
                await app.StopAsync(CancellationToken.None);
            }
        }

        return ExitCodes.Success;
    }

    // Hashes of both are compared, in a time that does not depend on where they differ.
    private static Func<string, ClaimsPrincipal?> KeyOf(string key, IReadOnlyList<string> rights)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(key));
        return given => CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), hash)
            ? new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, Environment.UserName), .. rights.Select(right => new Claim(Rights.Claim, right))], "key")) : null;
    }

    private static bool IsLoopback(string url) => new Uri(url) is var address && (address.IsLoopback || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip)));
}
