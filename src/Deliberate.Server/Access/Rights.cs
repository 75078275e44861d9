namespace Deliberate.Server.Access;

/// <summary>
/// What a key may do. Each right is the name of an ASP.NET Core authorization policy, and of the claim <see cref="Claim"/> that a key's caller carries. A right
/// never implies another: an administrator who is to read thoughts needs a key that says so.
/// </summary>
public static class Rights
{
    /// <summary>The type of the claims that hold rights.</summary>
    public const string Claim = "deliberate:right";

    /// <summary>Asking the served model.</summary>
    public const string Chat = "chat";

    /// <summary>Asking for rewards.</summary>
    public const string Reward = "reward";

    /// <summary>Reading thoughts and the audit log.</summary>
    public const string Audit = "audit";

    /// <summary>Looking at runs and reviewing samples.</summary>
    public const string Admin = "admin";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Chat, Reward, Audit, Admin];
}
