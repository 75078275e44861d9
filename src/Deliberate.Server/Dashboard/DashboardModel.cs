using Microsoft.Extensions.AI;

namespace Deliberate.Server.Dashboard;

/// <summary>A model to talk to on the chat page.</summary>
/// <param name="Name">Its name, unique on the page: "my-run: base".</param>
/// <param name="Open">Gives its client, opened at the first call at the earliest; it stays the caller's to dispose. Called from several threads.</param>
/// <param name="Group">What it belongs to, such as a run: the first and the last model of the first group stand side by side at first.</param>
public sealed record DashboardModel(string Name, Func<IChatClient> Open, string Group = "");
