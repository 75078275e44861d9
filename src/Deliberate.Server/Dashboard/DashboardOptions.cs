using System.Security.Claims;

namespace Deliberate.Server.Dashboard;

/// <summary>What the dashboard shows and whom it lets in.</summary>
public sealed class DashboardOptions
{
    /// <summary>The folder that holds run folders, or one run's own folder.</summary>
    public string Runs { get; set; } = "runs";

    /// <summary>
    /// Who the holder of a key is; null for a key that nobody holds. Its claims of type <see cref="Access.Rights.Claim"/> say what the holder may do: <c>admin</c> looks
    /// at runs and reviews, <c>audit</c> reads thoughts and the audit log, <c>chat</c> asks models. Called from many threads; should take the same time for every key.
    /// </summary>
    public Func<string, ClaimsPrincipal?> FindCaller { get; set; } = _ => null;

    /// <summary>
    /// Whether someone who logged in earlier, with the claims of the key's holder, may go on; asked for every page. False for the holder of a key that was withdrawn or has other
    /// rights now. By default a login lasts as long as <see cref="LoginLifetime"/> says. Called from many threads.
    /// </summary>
    public Func<ClaimsPrincipal, bool> IsStillCaller { get; set; } = _ => true;

    /// <summary>Whose a key is, by the id under which the audit log knows its holder; null where that is not known. Called from many threads.</summary>
    public Func<string, string?> NameOf { get; set; } = _ => null;

    /// <summary>The store of endpoints' responses, for what runs cost; null: none.</summary>
    public string? Responses { get; set; }

    /// <summary>Folders of policies in which a run's policy is looked for by its hash, beside the folder that the run itself names.</summary>
    public IReadOnlyList<string> PolicyFolders { get; set; } = [];

    /// <summary>The folder of the audit log to show, which another process may be writing: it is read and never held. Null: none.</summary>
    public string? AuditFolder { get; set; }

    /// <summary>
    /// The models of the chat page; asked again for every page, so that it may change. What the application serves through <see cref="Hosting.DeliberateServer"/> is
    /// offered beside them, with its limits and its audit log. None: the page says so.
    /// </summary>
    public Func<IReadOnlyList<DashboardModel>> Models { get; set; } = () => [];

    /// <summary>How long someone stays logged in without asking for a page.</summary>
    public TimeSpan LoginLifetime { get; set; } = TimeSpan.FromHours(8);
}
