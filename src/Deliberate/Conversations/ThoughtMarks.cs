namespace Deliberate.Conversations;

/// <summary>What a mark in a model's text does.</summary>
internal enum ThoughtMarkKind
{
    /// <summary>Opens a thought.</summary>
    Open,

    /// <summary>Closes a thought.</summary>
    Close,

    /// <summary>Names a message's channel (harmony).</summary>
    Channel,

    /// <summary>Begins a message's header (harmony).</summary>
    Start,

    /// <summary>Ends a message's header (harmony).</summary>
    Message,

    /// <summary>Ends a message (harmony).</summary>
    End,
}

/// <summary>A mark in a model's text.</summary>
internal readonly record struct ThoughtMark(string Text, ThoughtMarkKind Kind);

/// <summary>The marks by which models tell thought from answer in plain text.</summary>
internal static class ThoughtMarks
{
    /// <summary>A closing tag that every reader here knows.</summary>
    public const string Close = "</think>";

    /// <summary>The token that shows a text to be in the harmony format.</summary>
    public const string Channel = "<|channel|>";

    /// <summary>Opening and closing tags.</summary>
    public static readonly ThoughtTag[] Tags = [.. ThoughtTag.Known];

    private const string Final = "final";

    private static readonly ThoughtMark[] Plain =
    [
        .. Tags.Select(tag => new ThoughtMark(tag.Open, ThoughtMarkKind.Open)), .. Tags.Select(tag => new ThoughtMark(tag.Close, ThoughtMarkKind.Close)),
        new(Channel, ThoughtMarkKind.Channel),
    ];

    // The other tokens of the format mean nothing in a text that is not in it: some other templates use the same words.
    private static readonly ThoughtMark[] Harmony =
    [
        .. Plain, new("<|start|>", ThoughtMarkKind.Start), new("<|message|>", ThoughtMarkKind.Message),
        new("<|end|>", ThoughtMarkKind.End), new("<|return|>", ThoughtMarkKind.End), new("<|call|>", ThoughtMarkKind.End),
    ];

    /// <summary>Where the first mark begins, or -1.</summary>
    public static int Find(string text, bool harmony, out ThoughtMark mark)
    {
        mark = default;
        for (var at = text.AsSpan().IndexOfAny('<', '['); at >= 0;)
        {
            foreach (var candidate in harmony ? Harmony : Plain)
            {
                if (!text.AsSpan(at).StartsWith(candidate.Text, StringComparison.OrdinalIgnoreCase)) continue;
                mark = candidate;
                return at;
            }

            var next = text.AsSpan(at + 1).IndexOfAny('<', '[');
            at = next < 0 ? -1 : at + 1 + next;
        }

        return -1;
    }

    /// <summary>Where a mark begins, whatever its case, or -1. Its first character, which is no letter, is looked for first: many times quicker than a search that ignores case.</summary>
    public static int IndexOf(ReadOnlySpan<char> text, string mark)
    {
        for (var at = text.IndexOf(mark[0]); at >= 0;)
        {
            if (text[at..].StartsWith(mark, StringComparison.OrdinalIgnoreCase)) return at;
            var next = text[(at + 1)..].IndexOf(mark[0]);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return -1;
    }

    /// <summary>How many characters at the end could be the beginning of a mark. No mark holds the beginning of another, so one is enough.</summary>
    public static int Hold(string text, bool harmony)
    {
        var at = text.AsSpan().LastIndexOfAny('<', '[');
        if (at < 0) return 0;
        var tail = text.AsSpan(at);
        foreach (var mark in harmony ? Harmony : Plain)
            if (tail.Length < mark.Text.Length && mark.Text.AsSpan().StartsWith(tail, StringComparison.OrdinalIgnoreCase)) return tail.Length;
        return 0;
    }

    /// <summary>Whether a header's channel is the one that is shown.</summary>
    public static bool IsFinal(string header)
    {
        var name = header.AsSpan().Trim();
        return name.StartsWith(Final, StringComparison.OrdinalIgnoreCase) && (name.Length == Final.Length || !char.IsLetterOrDigit(name[Final.Length]));
    }

    /// <summary>
    /// Splits a harmony text whose special tokens a server has dropped: <c>analysis…assistantfinal…</c>. The answer is null when the text ends
    /// before it; the result is null when the text does not look like that.
    /// </summary>
    public static (string Thinking, string? Answer)? BareChannels(ReadOnlySpan<char> text)
    {
        const string begin = "analysis", end = "assistantfinal";
        if (!text.StartsWith(begin)) return null;
        var final = text.LastIndexOf(end);
        if (final >= 0) return (text[begin.Length..final].ToString(), text[(final + end.Length)..].ToString());
        return text.Length > begin.Length && char.IsUpper(text[begin.Length]) ? (text[begin.Length..].ToString(), null) : null;
    }
}
