using System.CommandLine;
using System.Net;
using System.Security.Claims;
using Deliberate.Auditing;
using Deliberate.Cli.Interaction;
using Deliberate.Policies;
using Deliberate.Server.Access;
using Deliberate.Server.Chat;
using Deliberate.Server.Dashboard;
using Deliberate.Server.Hosting;
using Deliberate.Server.Rewards;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Deliberate.Cli.Commands;

/// <summary><c>serve</c>: serve models with hidden thinking and an audit log.</summary>
internal sealed class ServeCommand : Command
{
    /// <summary>The server's folder when the command line names none.</summary>
    public const string DefaultFolder = "serving";

    /// <summary>The file of keys within it.</summary>
    public const string KeyFileName = "keys.json";

    private static readonly Dictionary<string, LogLevel> Levels = new() { ["trace"] = LogLevel.Trace, ["debug"] = LogLevel.Debug, ["info"] = LogLevel.Information, ["warn"] = LogLevel.Warning };

    private static readonly Dictionary<string, AuditParts> Parts =
        new() { ["conversation"] = AuditParts.Conversation, ["thinking"] = AuditParts.Thinking, ["answer"] = AuditParts.Answer, ["error"] = AuditParts.Error, ["all"] = AuditParts.All };

    private readonly ServedArguments _served;
    private readonly ServedJudge _judge;
    private readonly Option<string> _runs = new("--dashboard") { HelpName = "FOLDER", Description = "The folder of runs to show at /dashboard, to callers whose key has the right admin; with chat (chat) and audit log (audit). [default: no dashboard]" };
    private readonly Option<IPEndPoint> _listen = new("--listen")
    {
        HelpName = "ADDRESS:PORT",
        Description = "Where to listen; 0.0.0.0 and [::] are all addresses of this machine, port 0 is a free one. Beyond the loopback only with a key of `deliberate keys add`.",
        DefaultValueFactory = _ => new(IPAddress.Loopback, 8400),
        CustomParser = result =>
        {
            if (IPEndPoint.TryParse(result.Tokens[0].Value.Replace("localhost", "127.0.0.1", StringComparison.Ordinal), out var listen) && result.Tokens[0].Value.Contains(':', StringComparison.Ordinal)) return listen;
            result.AddError($"--listen takes an address and a port, as in 127.0.0.1:8400; '{result.Tokens[0].Value}' is none.");
            return null;
        },
    };

    private readonly Option<string> _folder = new("--folder") { HelpName = "FOLDER", Description = "Where keys and the audit log are kept.", DefaultValueFactory = _ => DefaultFolder };
    private readonly Option<string> _effort = new("--effort") { HelpName = "WORD=N,...", Description = "Most tokens of thought by reasoning_effort. [default: none=0,minimal=64,low=512,medium=2048,high=8192]" };
    private readonly Option<int> _maxTokens = OptionsOf.Number("--max-tokens", "Most tokens that a request may ask for.", 1, 32768);
    private readonly Option<int> _maxBody = OptionsOf.Number("--max-body", "Most bytes of a request.", 1, 1 << 20);
    private readonly Option<int> _rate = OptionsOf.Number("--rate", "Requests that a key may make a minute; 0: any number.", 0, 600);
    private readonly Option<int> _open = OptionsOf.Number("--open", "Requests that a key may have open at a time; 0: any number.", 0, 256);
    private readonly Option<int> _grace = OptionsOf.Number("--grace", "Seconds that open requests get to end when the server is stopped.", 0, 30);
    private readonly Option<int> _keepDays = OptionsOf.Number("--keep-days", "Days after which audit records are deleted; 0: never.", 0, 0);
    private readonly Option<int> _redactDays = OptionsOf.Number("--redact-days", "Days after which content is taken out of audit records; 0: never.", 0, 0);
    private readonly Option<string> _withhold = new("--withhold") { HelpName = "PART,...", Description = $"Content that never gets into the audit log, of {string.Join(", ", Parts.Keys)}." };
    private readonly Option<LogLevel> _log = OptionsOf.Choice("--log", "What to log. [default: warn]", Levels);
    private readonly Terminal _terminal;

    public ServeCommand(Terminal terminal) : base("serve", "Serve models over HTTP, OpenAI-compatible: thinking is hidden from callers and kept in an audit log.")
    {
        _terminal = terminal;
        _served = new(this);
        _judge = new(this);
        foreach (var option in (Option[])[_runs, _listen, _folder, _effort, _maxTokens, _maxBody, _rate, _open, _grace, _keepDays, _redactDays, _withhold, _log]) Options.Add(option);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var owned = new List<IDisposable>();
        try
        {
            var options = Read(parse) with { Models = _served.Open(parse, owned) };
            var (judge, runs) = (_judge.Open(parse, owned), parse.GetValue(_runs));
            if (options.Models.Count == 0 && judge is null && runs is null) throw new ArgumentException("there is nothing to serve: give --run FOLDER, --model MODEL, --judge MODEL or --dashboard FOLDER.");
            var policy = judge is null ? null : _served.PolicyOf(parse) ?? (options.Models is [var first, ..] ? first.Policy : null) ?? throw new ArgumentException("--judge: rewards need a policy: give --policy FOLDER, or --run FOLDER.");
            var key = FirstKey(options);
            var level = parse.GetResult(_log) is { Implicit: false } ? parse.GetValue(_log) : LogLevel.Warning;
            var app = DeliberateServer.Build(options, builder =>
            {
                // Interruptions are this program's to handle.
                builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
                builder.Logging.SetMinimumLevel(level).AddProvider(new TerminalLogger(_terminal));
                if (judge is not null) builder.Services.AddRewards(judge, policy!);
                if (runs is not null) builder.Services.AddDashboard(Dashboard(runs, options, [policy, .. options.Models.Select(model => model.Policy)]));
            }, app =>
            {
                if (judge is not null) app.MapRewards();
                if (runs is not null) app.MapDashboard();
            });
            await using (app.ConfigureAwait(false))
            {
                await app.StartAsync(cancel);
                foreach (var url in app.Urls)
                {
                    if (options.Models.Count > 0) _terminal.Results.WriteLine($"serving {string.Join(", ", options.Models.Select(model => model.Name))} at {url}/v1");
                    if (judge is not null) _terminal.Results.WriteLine($"rewards at {url}/reward, /score and /verify");
                    if (runs is not null) _terminal.Results.WriteLine($"dashboard at {url}/dashboard");
                }

                if (key is not null) _terminal.Results.WriteLine($"key with all rights, shown this once: {key}");
                await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await app.StopAsync(CancellationToken.None);
            }

            return ExitCodes.Success;
        }
        finally
        {
            foreach (var item in owned) item.Dispose();
        }
    }

    private ServerOptions Read(ParseResult parse)
    {
        var (folder, keep, redact) = (parse.GetRequiredValue(_folder), parse.GetValue(_keepDays), parse.GetValue(_redactDays));
        var budgets = new ThinkingBudgets();
        try
        {
            if (parse.GetValue(_effort) is { } effort) budgets = budgets.With(effort);
        }
        catch (FormatException problem)
        {
            throw new ArgumentException($"--effort: {problem.Message}", problem);
        }

        return new()
        {
            Listen = parse.GetRequiredValue(_listen),
            KeyFile = Path.Combine(folder, KeyFileName),
            AuditFolder = Path.Combine(folder, "audit"),
            Audit = new()
            {
                KeepFor = keep == 0 ? null : TimeSpan.FromDays(keep),
                RedactAfter = redact == 0 ? null : TimeSpan.FromDays(redact),
                Withheld = (parse.GetValue(_withhold) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                    .Aggregate(AuditParts.None, (all, name) => all | (Parts.TryGetValue(name, out var part) ? part : throw new ArgumentException($"--withhold: '{name}' is no part of a record; parts are {string.Join(", ", Parts.Keys)}."))),
            },
            Budgets = budgets,
            MaxTokens = parse.GetValue(_maxTokens),
            MaxBodyBytes = parse.GetValue(_maxBody),
            RequestsPerMinute = parse.GetValue(_rate),
            OpenRequests = parse.GetValue(_open),
            Grace = TimeSpan.FromSeconds(parse.GetValue(_grace)),
        };
    }

    // A key's rights are looked up in the same file, whichever way it comes.
    private static DashboardOptions Dashboard(string folder, ServerOptions options, IEnumerable<Policy?> policies)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"{folder}: not there. Name the folder that holds your runs.");
        var keys = new KeyFile(options.KeyFile);
        return new()
        {
            Runs = folder,
            FindCaller = key => keys.Find(key)?.Principal("key"),
            IsStillCaller = caller => keys.Keys.FirstOrDefault(key => key.Id == caller.FindFirst(ClaimTypes.NameIdentifier)?.Value) is { } key
                && key.Rights.ToHashSet().SetEquals(caller.FindAll(Rights.Claim).Select(claim => claim.Value)),
            NameOf = keys.NameOf,
            PolicyFolders = [.. policies.Select(policy => policy?.Folder).OfType<string>().Distinct()],
            AuditFolder = options.AuditFolder,
        };
    }

    // On the loopback whoever starts the server gets a key; elsewhere keys are made before.
    private static string? FirstKey(ServerOptions options)
    {
        var keys = new KeyFile(options.KeyFile);
        return keys.Keys.Count > 0 || !IPAddress.IsLoopback(options.Listen.Address) ? null : keys.Add("first", Rights.All, options.Time.GetUtcNow()).Text;
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
