using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Deliberate.Runs;

namespace Deliberate.Policies;

/// <summary>A summary in its Markdown file: a comment that says what it was made from, and the text, which people may edit.</summary>
/// <param name="Of">The category's file.</param>
/// <param name="Text">The summary in one paragraph.</param>
/// <param name="Key">Hash of the category's text that it sums up; null when the file does not say.</param>
/// <param name="Written">Hash of the text as the model wrote it; null when the file does not say.</param>
/// <param name="Model">The model that wrote it.</param>
internal sealed partial record SummaryFile(string Of, string Text, string? Key, string? Written, string Model)
{
    /// <summary>True when somebody changed the text, or wrote the whole file.</summary>
    public bool IsEdited => Written is null || Written != Hash(Text);

    /// <summary>The key of a category's text.</summary>
    public static string KeyOf(Category category) => Hash(PolicyMarkdown.Category(category, 1, code => code));

    /// <summary>16 hex digits.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];

    /// <summary>A model's reply as a paragraph, without what it was told to leave out.</summary>
    public static string Plain(string reply)
    {
        var text = Marks().Replace(Introduction().Replace(reply.Trim().Trim('`').Trim(), ""), " ");
        text = ImportDraft.Line(text.Replace("<!--", "", StringComparison.Ordinal).Replace("-->", "", StringComparison.Ordinal));
        return text is ['"', .. var inner, '"'] && !inner.Contains('"', StringComparison.Ordinal) ? inner.Trim() : text;
    }

    /// <summary>Reads a file; null when there is none or it holds no text.</summary>
    /// <exception cref="PolicyException">It is too large or no UTF-8.</exception>
    public static SummaryFile? Read(string path)
    {
        if (!File.Exists(path)) return null;
        if (new FileInfo(path).Length > 1 << 20) throw new PolicyException(path, 0, "the file is larger than 1 MiB; a summary is a paragraph");
        string content;
        try
        {
            content = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException problem)
        {
            throw new PolicyException(path, 0, "the file is not UTF-8 text; save it as UTF-8", problem);
        }

        var comment = Comment().Match(content);
        var text = ImportDraft.Line(content[comment.Length..]);
        return text.Length == 0 ? null : new(Path.GetFileName(path), text, Value(Source()), Value(Wrote()), "");

        string? Value(Regex pattern) => pattern.Match(comment.Value) is { Success: true } match ? match.Groups["hash"].Value : null;
    }

    /// <summary>Writes the file at once.</summary>
    public void Write(string path) => AtomicFile.WriteText(path, $"""
        <!-- What specifications of other categories show of {Of}. Edit the text below as you like: an edited summary is not overwritten.
             source {Key}, written {Written}, by {ImportDraft.Line(Model.Replace("--", "-", StringComparison.Ordinal))} -->

        {Text}

        """.ReplaceLineEndings("\n"));

    [GeneratedRegex(@"\A\s*<!--.*?(?:-->|\z)", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\bsource (?<hash>[0-9a-f]{16})\b", RegexOptions.CultureInvariant)]
    private static partial Regex Source();

    [GeneratedRegex(@"\bwritten (?<hash>[0-9a-f]{16})\b", RegexOptions.CultureInvariant)]
    private static partial Regex Wrote();

    [GeneratedRegex(@"(?m)^\s*(?:#{1,6}\s|[-*+]\s|>\s|```\w*)", RegexOptions.CultureInvariant)]
    private static partial Regex Marks();

    [GeneratedRegex(@"^[*_#\s]*summary[*_]*\s*:[*_]*\s*", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Introduction();
}
