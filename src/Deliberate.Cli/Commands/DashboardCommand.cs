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
    private readonly Option<bool> _showThinking = new("--show-thinking") { Description = "The key may also read what models think, and the audit log." };
    private readonly Option<string> _audit = new("--audit") { HelpName = "FOLDER", Description = "The audit log to show, such as serving/audit, also while a server writes it. A second key opens the log alone." };
    private readonly Terminal _terminal;

    public DashboardCommand(Terminal terminal) : base("dashboard", "Show runs as pages in a browser: stages, samples with their verdicts, reviews, training, policies, comparisons, chat, audit log. Prints the key to log in with.")
    {
        _terminal = terminal;
        Arguments.Add(_folder);
        foreach (var option in (Option[])[_urls, _policy, _responses, _showThinking, _audit]) Options.Add(option);
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
        var (audit, showThinking) = (parse.GetValue(_audit), parse.GetValue(_showThinking));
        if (audit is not null && !Directory.Exists(audit)) throw new DirectoryNotFoundException($"{audit}: not there. Name the folder of an audit log, such as serving/audit.");
        foreach (var policy in parse.GetValue(_policy) ?? []) Policies.Policy.Load(policy);
        var key = NewKey();
        // Who looks at runs need not be who reads the log, which holds every thought.
        var auditKey = audit is null || showThinking ? null : NewKey();
        string[] rights = showThinking ? [Rights.Admin, Rights.Chat, Rights.Audit] : [Rights.Admin, Rights.Chat];
        List<(string Key, string Name, string[] Rights)> keys = [(key, Environment.UserName, rights)];
        if (auditKey is not null) keys.Add((auditKey, "auditor", [Rights.Audit]));
        using var models = new RunModels(folder);
        var app = DashboardHost.Create(new()
        {
            Runs = folder,
            FindCaller = HolderOf(keys),
            Responses = parse.GetRequiredValue(_responses),
            PolicyFolders = parse.GetValue(_policy) ?? [],
            AuditFolder = audit,
            // `serve` keeps its keys beside its log.
            NameOf = audit is null ? _ => null : new KeyFile(Path.GetFullPath(Path.Combine(audit, "..", ServeCommand.KeyFileName))).NameOf,
            Models = models.List,
        }, url);
        await using (app.ConfigureAwait(false))
        {
            await app.StartAsync(cancel);
            _terminal.Results.WriteLine($"dashboard: {app.Urls.First().TrimEnd('/')}/dashboard");
            _terminal.Results.WriteLine($"key:       {key}");
            if (auditKey is not null) _terminal.Results.WriteLine($"audit key: {auditKey}");
            _terminal.Results.Flush();
            if (!IsLoopback(url)) _terminal.Note($"{url} can be reached from other machines, and without encryption: the key and all pages can be read on the way. Put a proxy with TLS before it.");
            var which = auditKey is null ? "the key; it is" : "one of the keys, of which the second opens the audit log alone; they are";
            _terminal.Note($"Log in with {which} shown this once. Ctrl-C ends the dashboard.");
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

    private static string NewKey() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    // Hashes of keys are compared, all of them, in a time that does not depend on where they differ.
    private static Func<string, ClaimsPrincipal?> HolderOf(IReadOnlyList<(string Key, string Name, string[] Rights)> keys)
    {
        var holders = keys.Select(key => (Hash: SHA256.HashData(Encoding.UTF8.GetBytes(key.Key)), Holder: Holder(key.Name, key.Rights))).ToArray();
        return given =>
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes(given));
            return holders.Where(key => CryptographicOperations.FixedTimeEquals(key.Hash, hash)).Select(key => key.Holder).LastOrDefault();
        };
    }

    private static ClaimsPrincipal Holder(string name, string[] rights) =>
        new(new ClaimsIdentity([new(ClaimTypes.Name, name), .. rights.Select(right => new Claim(Rights.Claim, right))], "key"));

    private static bool IsLoopback(string url) => new Uri(url) is var address && (address.IsLoopback || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip)));
}
