using Microsoft.Extensions.AI;

namespace Deliberate.Server.Dashboard;

/// <summary>A model to talk to on the chat page.</summary>
/// <param name="Name">Its name, unique on the page: "my-run: base".</param>
/// <param name="Open">Gives its client, opened at the first call at the earliest; it stays the caller's to dispose. Called from several threads.</param>
/// <param name="SystemMessages">What stands before the conversation, such as a policy.</param>
public sealed record DashboardModel(string Name, Func<IChatClient> Open, IReadOnlyList<ChatMessage>? SystemMessages = null);
