using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;

namespace Deliberate.Server.Access;

/// <summary>A key as it is kept: its hash, not the key itself. Immutable.</summary>
/// <param name="Id">Names the key, in logs too.</param>
/// <param name="Name">Whose it is, or what it is for.</param>
/// <param name="Rights">Some of <see cref="Access.Rights.All"/>.</param>
/// <param name="Hash">SHA-256 of the key, in hex. Keys are random and long, so that a fast hash is enough.</param>
/// <param name="Created">When it was made.</param>
public sealed record AccessKey(string Id, string Name, IReadOnlyList<string> Rights, string Hash, DateTimeOffset Created)
{
    /// <summary>Makes a key. The text is told once and kept nowhere.</summary>
    /// <exception cref="ArgumentException">A right is unknown, or there is none.</exception>
    public static (AccessKey Key, string Text) Create(string name, IReadOnlyList<string> rights, DateTimeOffset now)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (rights.Count == 0) throw new ArgumentException($"A key needs a right; rights are {string.Join(", ", Access.Rights.All)}.");
        if (rights.FirstOrDefault(right => !Access.Rights.All.Contains(right)) is { } unknown)
            throw new ArgumentException($"'{unknown}' is no right; rights are {string.Join(", ", Access.Rights.All)}.");
        var text = $"dlb_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))}";
        return (new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)), name, [.. Access.Rights.All.Where(rights.Contains)], Convert.ToHexStringLower(HashOf(text)), now), text);
    }

    /// <summary>The caller that this key stands for, as claims.</summary>
    /// <param name="scheme">The authentication scheme by which the caller was recognised.</param>
    public ClaimsPrincipal Principal(string scheme) => new(new ClaimsIdentity(
        [new(ClaimTypes.NameIdentifier, Id), new(ClaimTypes.Name, Name), .. Rights.Select(right => new Claim(Access.Rights.Claim, right))], scheme, ClaimTypes.Name, null));

    internal bool Is(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(Convert.FromHexString(Hash), hash);

    internal static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
