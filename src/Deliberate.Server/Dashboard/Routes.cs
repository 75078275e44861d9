using System.Globalization;

namespace Deliberate.Server.Dashboard;

/// <summary>Addresses of the dashboard's pages.</summary>
internal static class Routes
{
    public const string Root = "/dashboard", Login = Root + "/login", Logout = Root + "/logout", Assets = Root + "/assets";
    public const string Compare = Root + "/compare", Pareto = Root + "/pareto", Chat = Root + "/chat", Audit = Root + "/audit";

    /// <summary>The page that a caller begins with: the first that the caller's rights open.</summary>
    public static string HomeOf(Caller caller) => caller.MayLookAtRuns || caller is { MayChat: false, MayReadThoughts: false } ? Root : caller.MayChat ? Chat : Audit;

    /// <summary>One exchange of the audit log.</summary>
    public static string Exchange(long number) => $"{Audit}/{number.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The policy of exchanges, by its hash.</summary>
    public static string AuditedPolicy(string hash) => $"{Audit}/policy?hash={Uri.EscapeDataString(hash)}";

    public static string Run(string run, string part = "") => $"{Root}/runs/{Uri.EscapeDataString(run)}{(part.Length == 0 ? "" : "/" + part)}";

    public static string Prompt(string run, string prompt) => $"{Run(run, "prompt")}?id={Uri.EscapeDataString(prompt)}";

    /// <summary>Whether an address leads to a page of the dashboard on this server, and nowhere else.</summary>
    public static bool IsOwn(string? address) => address is not null
        && (address == Root || address.StartsWith(Root + "/", StringComparison.Ordinal) || address.StartsWith(Root + "?", StringComparison.Ordinal))
        && address.All(letter => letter is > ' ' and < '\x7f' and not '\\');
}
