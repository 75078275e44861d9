using System.Security.Claims;

namespace Deliberate.Server.Dashboard;

/// <summary>Who asks for a page, and what that person may do.</summary>
/// <param name="Name">The name that reviews are kept under.</param>
/// <param name="Rights">The rights.</param>
public sealed record Caller(string Name, IReadOnlySet<string> Rights)
{
    /// <summary>Somebody who has not logged in.</summary>
    public static Caller Nobody { get; } = new("nobody", new HashSet<string>());

    /// <summary>Names the caller's key in the audit log; null when it has no such name.</summary>
    public string? Id { get; init; }

    /// <summary>Whether thoughts may be shown, and the audit log, which holds them.</summary>
    public bool MayReadThoughts => Rights.Contains(Access.Rights.Audit);

    /// <summary>Whether runs may be looked at and samples be reviewed.</summary>
    public bool MayLookAtRuns => Rights.Contains(Access.Rights.Admin);

    /// <summary>Whether models may be asked.</summary>
    public bool MayChat => Rights.Contains(Access.Rights.Chat);

    /// <summary>The caller that a principal stands for.</summary>
    public static Caller Of(ClaimsPrincipal principal)
    {
        ArgumentNullException.ThrowIfNull(principal);
        if (principal.Identity is not { IsAuthenticated: true } identity) return Nobody;
        var rights = principal.FindAll(Access.Rights.Claim).Select(claim => claim.Value).ToHashSet();
        return new(string.IsNullOrWhiteSpace(identity.Name) ? "unnamed" : identity.Name, rights) { Id = principal.FindFirstValue(ClaimTypes.NameIdentifier) };
    }
}
