using System.Net;
using System.Text;

namespace Deliberate.Inference.Templates;

/// <summary>HTML escaping as MarkupSafe does it.</summary>
internal static class Html
{
    public static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("\"", "&#34;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal);

    /// <summary>The text without comments and tags, white space joined, entities resolved.</summary>
    public static string StripTags(string text)
    {
        text = Without(Without(text, "<!--", "-->"), "<", ">");
        return WebUtility.HtmlDecode(string.Join(' ', TextMethods.SplitSpaces(text, -1)));
    }

    private static string Without(string text, string open, string close)
    {
        var result = new StringBuilder();
        var at = 0;
        while (text.IndexOf(open, at, StringComparison.Ordinal) is var start and >= 0 && text.IndexOf(close, start, StringComparison.Ordinal) is var end and >= 0)
        {
            result.Append(text, at, start - at);
            at = end + close.Length;
        }

        return result.Append(text, at, text.Length - at).ToString();
    }
}
