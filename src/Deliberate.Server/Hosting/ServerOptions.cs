using System.Net;
using Deliberate.Auditing;
using Deliberate.Server.Chat;

namespace Deliberate.Server.Hosting;

/// <summary>What a server serves, where, and within which limits. Immutable.</summary>
public sealed record ServerOptions
{
    /// <summary>The models, of which the first answers requests that name none.</summary>
    public IReadOnlyList<ServedModelOptions> Models { get; init; } = [];

    /// <summary>Where it listens. Port 0 takes a free one.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 8400);

    /// <summary>The file with the hashes of its keys.</summary>
    public string KeyFile { get; init; } = Path.Combine("serving", "keys.json");

    /// <summary>The folder of the audit log; null: exchanges are not kept.</summary>
    public string? AuditFolder { get; init; } = Path.Combine("serving", "audit");

    /// <summary>What the audit log keeps, and for how long.</summary>
    public AuditOptions Audit { get; init; } = new();

    /// <summary>Tokens of thought by <c>reasoning_effort</c>.</summary>
    public ThinkingBudgets Budgets { get; init; } = new();

    /// <summary>Most bytes of a request's body.</summary>
    public long MaxBodyBytes { get; init; } = 1 << 20;

    /// <summary>Most tokens that a request may ask for.</summary>
    public int MaxTokens { get; init; } = 32768;

    /// <summary>Requests to models that a key may make a minute; 0: any number.</summary>
    public int RequestsPerMinute { get; init; } = 600;

    /// <summary>Requests to models that a key may have open at a time; 0: any number.</summary>
    public int OpenRequests { get; init; } = 256;

    /// <summary>How long a server that is stopped waits for open requests before it breaks them off.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Tells the time.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
