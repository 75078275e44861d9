namespace Deliberate.Server.Access;

/// <summary>Names of the authentication schemes.</summary>
public static class AccessSchemes
{
    /// <summary>A key in the header <c>Authorization: Bearer KEY</c>.</summary>
    public const string Bearer = "deliberate-key";

    /// <summary>A cookie that a page gave after a key was posted to it: <c>SignInAsync(AccessSchemes.Cookie, key.Principal(AccessSchemes.Cookie))</c>.</summary>
    public const string Cookie = "deliberate-cookie";

    /// <summary>The default: the cookie for browsers that have one or ask for a page, and the header for everyone else and for everything under <c>/v1</c>.</summary>
    public const string Either = "deliberate";
}
