namespace Deliberate.Server.Dashboard;

/// <summary>Addresses of the dashboard's pages.</summary>
internal static class Routes
{
    public const string Root = "/dashboard", Login = Root + "/login", Logout = Root + "/logout", Compare = Root + "/compare", Pareto = Root + "/pareto", Chat = Root + "/chat", Assets = Root + "/assets";

    public static string Run(string run, string part = "") => $"{Root}/runs/{Uri.EscapeDataString(run)}{(part.Length == 0 ? "" : "/" + part)}";

    public static string Prompt(string run, string prompt) => $"{Run(run, "prompt")}?id={Uri.EscapeDataString(prompt)}";

    /// <summary>Whether an address leads to a page of the dashboard on this server, and nowhere else.</summary>
    public static bool IsOwn(string? address) => address is not null && (address == Root || address.StartsWith(Root + "/", StringComparison.Ordinal) || address.StartsWith(Root + "?", StringComparison.Ordinal))
        && address.All(letter => letter is > ' ' and < '\x7f' and not '\\');
}
