using System.Text.RegularExpressions;

namespace Deliberate.Policies;

internal enum BlockKind
{
    Heading,
    Bullet,
    Paragraph,
}

/// <summary>A heading, a list item or a paragraph; its text is one line with single spaces.</summary>
/// <param name="Kind">Which of them.</param>
/// <param name="Level">A heading's level from 1; 0 or 1 for an item of a list or of a list in it.</param>
/// <param name="Text">The text without its marker.</param>
/// <param name="Line">The line it begins at, from 1.</param>
internal sealed record Block(BlockKind Kind, int Level, string Text, int Line);

/// <summary>
/// Reads the small part of Markdown that policies are written in: headings, lists of two levels, paragraphs; comments and rules
/// are passed over, and everything else is text. Linear in the text's length.
/// </summary>
internal sealed partial class MarkdownBlocks
{
    /// <summary>What lists and rules are made of.</summary>
    public const string Marks = "-*_+ ";

    private readonly List<Block> _blocks = [];
    private readonly System.Text.StringBuilder _text = new();
    private Block? _open;
    private bool _gap = true;
    private bool _numbered;
    private int _listIndent = -1;

    /// <summary>Reads a text.</summary>
    /// <param name="text">The file's content, with any line endings.</param>
    /// <param name="error">Told of the line and the problem when a comment does not end.</param>
    public static IReadOnlyList<Block> Read(string text, Action<int, string> error)
    {
        var reader = new MarkdownBlocks();
        var lines = text.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].TrimStart().StartsWith("<!--", StringComparison.Ordinal))
            {
                var start = i;
                while (i < lines.Length && !lines[i].Contains("-->", StringComparison.Ordinal)) i++;
                if (i == lines.Length) error(start + 1, "the comment does not end; close it with '-->'");
            }
            else reader.Line(lines[i], i + 1);
        }

        reader.Close();
        return reader._blocks;
    }

    private void Line(string line, int number)
    {
        var trimmed = line.Trim();
        if (trimmed.Length == 0)
        {
            _gap = true;
            return;
        }

        if (IsRule(trimmed))
        {
            Close();
            (_gap, _listIndent) = (true, -1);
            return;
        }

        if (Heading(trimmed) is var (level, title))
        {
            Close();
            _blocks.Add(new(BlockKind.Heading, level, Spaced(title), number));
            (_gap, _listIndent) = (true, -1);
            return;
        }

        var indent = Indent(line);
        if (Bullet(trimmed) is { } item)
        {
            Close();
            var nested = _listIndent >= 0 && indent >= _listIndent + 2;
            if (!nested) _listIndent = indent;
            Open(new(BlockKind.Bullet, nested ? 1 : 0, "", number), item);
        }
        else if (_open is not null && (!_gap || (_open.Kind == BlockKind.Bullet && indent >= _listIndent + 2))) _text.Append(' ').Append(trimmed);
        else
        {
            Close();
            (_listIndent, _numbered) = (-1, false);
            Open(new(BlockKind.Paragraph, 0, "", number), trimmed);
        }

        _gap = false;
    }

    private void Open(Block block, string text)
    {
        _open = block;
        _text.Clear().Append(text);
    }

    private void Close()
    {
        if (_open is null) return;
        var text = Spaced(_text.ToString());
        // An item of marks alone says nothing, and could be taken for a rule.
        if (_open.Kind != BlockKind.Bullet || text.AsSpan().ContainsAnyExcept(Marks)) _blocks.Add(_open with { Text = text });
        else if (_open.Level == 0) _listIndent = -1;
        _open = null;
    }

    private string? Bullet(string trimmed)
    {
        if (trimmed[0] is '-' or '*' or '+' && (trimmed.Length == 1 || char.IsWhiteSpace(trimmed[1])))
        {
            _numbered = false;
            return trimmed[1..].TrimStart();
        }

        // "1." inside a paragraph is more often a number than a list.
        if (!_gap && !_numbered) return null;
        var digits = trimmed.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits is < 1 or > 3 || trimmed[digits] is not ('.' or ')')) return null;
        if (digits + 1 < trimmed.Length && !char.IsWhiteSpace(trimmed[digits + 1])) return null;
        _numbered = true;
        return trimmed[(digits + 1)..].TrimStart();
    }

    private static (int Level, string Title)? Heading(string trimmed)
    {
        var level = trimmed.AsSpan().IndexOfAnyExcept('#');
        if (level < 0) level = trimmed.Length;
        if (level is < 1 or > 6 || (level < trimmed.Length && !char.IsWhiteSpace(trimmed[level]))) return null;
        var title = trimmed[level..].Trim();
        // The closing marks that Markdown allows: "# Title #".
        while (title.Length > 0 && title[^1] == '#' && title.TrimEnd('#') is var rest && (rest.Length == 0 || char.IsWhiteSpace(rest[^1]))) title = rest.TrimEnd();
        return (level, title);
    }

    private static bool IsRule(string trimmed) =>
        trimmed[0] is '-' or '*' or '_' && trimmed.Count(mark => mark == trimmed[0]) >= 3 && trimmed.All(mark => mark == trimmed[0] || char.IsWhiteSpace(mark));

    private static int Indent(string line)
    {
        var indent = 0;
        foreach (var mark in line)
            if (mark == '\t') indent += 4;
            else if (char.IsWhiteSpace(mark)) indent++;
            else break;
        return indent;
    }

    private static string Spaced(string text) => Spaces().Replace(text, " ").Trim();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Spaces();
}
