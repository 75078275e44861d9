using System.Security.Cryptography;
using System.Text;
using Deliberate.Server.Report;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Deliberate.Server.Dashboard;

/// <summary>The style sheets and scripts of the pages.</summary>
internal static class Assets
{
    private static readonly Dictionary<string, string> Types = new(StringComparer.Ordinal)
    {
        ["report.css"] = "text/css; charset=utf-8",
        ["dashboard.css"] = "text/css; charset=utf-8",
        ["report.js"] = "text/javascript; charset=utf-8",
        ["icon.svg"] = "image/svg+xml",
        ["dashboard.js"] = "text/javascript; charset=utf-8",
    };

    public static IResult Get(string name, HttpContext http)
    {
        if (!Types.TryGetValue(name, out var type)) return Results.NotFound();
        var content = Encoding.UTF8.GetBytes(InlineAsset.Read(name));
        http.Response.Headers.CacheControl = "no-cache";
        return Results.Bytes(content, type, entityTag: new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}\""));
    }
}
