namespace Deliberate.Server.Dashboard;

/// <summary>A thought as a caller may see it. Without the audit right there is no text in it that a page could show by mistake.</summary>
/// <param name="Words">Its length in words; 0 when there is none.</param>
/// <param name="Text">The thought; null for who may not read it.</param>
public sealed record ThoughtView(int Words, string? Text)
{
    /// <summary>A thought as the caller may see it.</summary>
    public static ThoughtView Of(string thinking, Caller caller)
    {
        ArgumentNullException.ThrowIfNull(thinking);
        ArgumentNullException.ThrowIfNull(caller);
        return new(WordsOf(thinking), caller.MayReadThoughts ? thinking : null);
    }

    /// <summary>Number of words in a text.</summary>
    public static int WordsOf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
    }
}
