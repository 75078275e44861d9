using Microsoft.Extensions.AI;

namespace Deliberate.Runs.Store;

/// <summary>What all calls through one client have in common.</summary>
/// <param name="Run">The run's name.</param>
/// <param name="Stage">The stage: "generate", "judge"…</param>
/// <param name="Model">
/// Name or fingerprint of the model, and of all else that decides what it says, such as its server. Part of a response's key. Null: provider, model and
/// address as the client's metadata give them.
/// </param>
/// <param name="Cost">What a response costs, in dollars; null when unknown. Called once for each response that is paid for.</param>
/// <param name="RetryFailed">Whether calls that failed earlier are made again. When false they fail at once with <see cref="KnownFailureException"/>.</param>
public sealed record StoreContext(string Run, string Stage, string? Model = null, Func<ChatResponse, decimal?>? Cost = null, bool RetryFailed = true);
