namespace Deliberate.Inference.Hub;

/// <summary>A model on a hub: <c>hf:OWNER/NAME</c> or <c>hf:OWNER/NAME@REVISION</c>.</summary>
/// <param name="Owner">User or organisation.</param>
/// <param name="Name">The model.</param>
/// <param name="Revision">Branch, tag or commit.</param>
public sealed record HubReference(string Owner, string Name, string Revision = "main")
{
    private const string Prefix = "hf:";

    /// <summary>Whether a text is meant as one.</summary>
    public static bool Is(string text) => text?.StartsWith(Prefix, StringComparison.Ordinal) == true;

    /// <summary>Reads one.</summary>
    /// <exception cref="FormatException">It is none; the message says what is expected.</exception>
    public static HubReference Parse(string text)
    {
        if (Is(text))
        {
            var (path, revision) = text[Prefix.Length..].Split('@', 2) is [var before, var after] ? (before, after) : (text[Prefix.Length..], "main");
            if (path.Split('/') is [var owner, var name] && IsName(owner) && IsName(name) && revision.Split('/').All(IsName)) return new(owner, name, revision);
        }

        throw new FormatException($"'{Files.OneLine.Of(text ?? "")}' names no model; write hf:OWNER/NAME or hf:OWNER/NAME@REVISION.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Prefix}{Owner}/{Name}@{Revision}";

    // These become names of folders, where '--' stands between owner and name.
    private static bool IsName(string text) => text.Length is > 0 and <= 96 && text[0] != '.' && text[^1] != '.' && !text.Contains("..", StringComparison.Ordinal) && !text.Contains("--", StringComparison.Ordinal) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
