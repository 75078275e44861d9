namespace Deliberate.Inference.Hub;

/// <summary>Where models come from and where they are kept.</summary>
public sealed class HubOptions
{
    /// <summary>The hub (<c>HF_ENDPOINT</c>): an https address, or http on this machine.</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>Secret for private and gated models (<c>HF_TOKEN</c>); sent to <see cref="Endpoint"/> alone.</summary>
    public string? Token { get; init; }

    /// <summary>The cache (<c>HF_HUB_CACHE</c>, else <c>hub</c> in <c>HF_HOME</c>, else <c>~/.cache/huggingface/hub</c>), shared with other programs.</summary>
    public required string Cache { get; init; }

    /// <summary>Use only what is in the cache (<c>HF_HUB_OFFLINE</c>).</summary>
    public bool Offline { get; init; }

    /// <summary>How often in a row a request is tried again, or a transfer taken up again that brought less than 1 MiB.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>The wait before the first retry; it doubles.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection may stay silent.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Hears in a line of what is done otherwise than asked: a branch that is taken from the cache because the hub cannot be reached.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>The environment's settings.</summary>
    /// <param name="note">See <see cref="Note"/>.</param>
    /// <exception cref="HubException"><c>HF_ENDPOINT</c> is no address.</exception>
    public static HubOptions FromEnvironment(Action<string>? note = null) => From(Environment.GetEnvironmentVariable, note);

    internal static HubOptions From(Func<string, string?> variable, Action<string>? note = null)
    {
        string? Read(string name) => variable(name)?.Trim() is { Length: > 0 } value ? value : null;
        var caches = Read("XDG_CACHE_HOME") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var home = Read("HF_HOME") ?? Path.Combine(caches, "huggingface");
        var endpoint = Read("HF_ENDPOINT") ?? "https://huggingface.co";
        return new()
        {
            Endpoint = Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 ? uri : throw new HubException("HF_ENDPOINT is no plain http or https address."),
            Token = Read("HF_TOKEN"),
            Cache = Read("HF_HUB_CACHE") ?? Path.Combine(home, "hub"),
            Note = note,
            Offline = Read("HF_HUB_OFFLINE")?.ToUpperInvariant() is "1" or "TRUE" or "ON" or "YES",
        };
    }
}

/// <summary>How far a download is.</summary>
/// <param name="File">The file being fetched.</param>
/// <param name="Done">Bytes that are there, of all files fetched together: first the small ones, then the weights.</param>
/// <param name="Total">Their size in bytes.</param>
public readonly record struct HubProgress(string File, long Done, long Total);

/// <summary>A model could not be had from a hub; the message is one line that says why and what to do.</summary>
public sealed class HubException(string message, Exception? inner = null) : Exception(message, inner);
