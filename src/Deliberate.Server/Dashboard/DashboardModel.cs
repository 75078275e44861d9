using Deliberate.Server.Hosting;
using Microsoft.Extensions.AI;

namespace Deliberate.Server.Dashboard;

/// <summary>A model to talk to on the chat page.</summary>
/// <param name="Name">Its name, unique on the page: "my-run: base".</param>
/// <param name="Open">Gives its client, opened at the first call at the earliest; it stays the caller's to dispose. Called from several threads.</param>
/// <param name="Group">What it belongs to, such as a run: the first and the last model of the first group stand side by side at first.</param>
public sealed record DashboardModel(string Name, Func<IChatClient> Open, string Group = "")
{
    /// <summary>Whether its client is one that a server serves: it is told who asks, hides the thought from who may not read it, and writes the exchange to the audit log.</summary>
    internal bool IsServed { get; init; }

    /// <summary>The limits of keys that its requests count against; null: none.</summary>
    internal KeyLimits? Limits { get; init; }
}
