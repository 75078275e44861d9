namespace Deliberate.Server.Access;

/// <summary>Names of the authentication schemes.</summary>
public static class AccessSchemes
{
    /// <summary>A key in the header <c>Authorization: Bearer KEY</c>: the only way in, but for the dashboard's own login.</summary>
    public const string Bearer = "deliberate-key";
}
