using System.Net;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Deliberate.Server.Tests;

/// <summary>Reads a rendered page as the tests need it.</summary>
internal static partial class Html
{
    private static readonly HashSet<string> Void = ["meta", "link", "br", "hr", "img", "input", "col", "area", "base", "embed", "source", "track", "wbr"];

    /// <summary>The page without styles, scripts and tags, decoded, white space made one blank.</summary>
    public static string Text(string page) => Spaces().Replace(WebUtility.HtmlDecode(Tags().Replace(Raw().Replace(page, " "), " ")), " ");

    /// <summary>The values of an attribute over all elements, decoded.</summary>
    public static IReadOnlyList<string> Attribute(string page, string name) =>
        [.. Tags().Matches(Raw().Replace(page, " ")).SelectMany(tag => Attributes().Matches(tag.Value)).Where(match => match.Groups["name"].Value == name).Select(match => WebUtility.HtmlDecode(match.Groups["value"].Value))];

    /// <summary>Every drawing, parsed as XML.</summary>
    public static IReadOnlyList<XElement> Drawings(string page) => [.. Svg().Matches(page).Select(match => XDocument.Parse(match.Value).Root!)];

    /// <summary>The first tag that closes nothing or is not closed, or null when all is balanced.</summary>
    public static string? Unbalanced(string page)
    {
        var open = new Stack<string>();
        foreach (var tag in Tags().Matches(Raw().Replace(page, " ")).Select(match => match.Value))
        {
            var name = Name().Match(tag).Value;
            if (name.Length == 0 || Void.Contains(name) || tag.EndsWith("/>", StringComparison.Ordinal)) continue;
            if (!tag.StartsWith("</", StringComparison.Ordinal)) open.Push(name);
            else if (!open.TryPop(out var last) || last != name) return $"{tag} closes {last ?? "nothing"}";
        }

        return open.TryPeek(out var left) ? $"<{left}> is not closed" : null;
    }

    [GeneratedRegex("<(style|script)>.*?</\\1>", RegexOptions.Singleline)]
    private static partial Regex Raw();

    [GeneratedRegex("<[!/a-zA-Z](?:[^>\"]|\"[^\"]*\")*>")]
    private static partial Regex Tags();

    [GeneratedRegex("\\s(?<name>[a-z-]+)=\"(?<value>[^\"]*)\"")]
    private static partial Regex Attributes();

    [GeneratedRegex("<svg.*?</svg>", RegexOptions.Singleline)]
    private static partial Regex Svg();

    [GeneratedRegex("(?<=^</?)[a-zA-Z0-9]+")]
    private static partial Regex Name();

    [GeneratedRegex("\\s+")]
    private static partial Regex Spaces();
}
