namespace Deliberate.Server.Rewards;

/// <summary>
/// Finds where a prompt ends in a text that a tokenizer has encoded and decoded again: it may have put a token before it, changed white space, or cut the
/// prompt's beginning because it was too long.
/// </summary>
internal static class PromptPrefix
{
    // Fewer characters than that may agree by chance.
    private const int Least = 16;

    /// <summary>Where the text after the prompt begins, or -1 when the text does not begin with the prompt.</summary>
    public static int End(string prompt, ReadOnlySpan<char> query)
    {
        if (query.StartsWith(prompt)) return prompt.Length;
        var bare = ChatFamily.TrimStart(prompt);
        var rest = ChatFamily.TrimStart(query);
        var skipped = query.Length - rest.Length;
        var end = Spaced(bare, rest);
        if (end < 0) end = Cut(bare, rest);
        return end < 0 ? -1 : skipped + end;
    }

    private static int Spaced(ReadOnlySpan<char> prompt, ReadOnlySpan<char> query)
    {
        var (i, j) = (0, 0);
        while (true)
        {
            while (i < prompt.Length && char.IsWhiteSpace(prompt[i])) i++;
            if (i == prompt.Length) return j;
            while (j < query.Length && char.IsWhiteSpace(query[j])) j++;
            if (j == query.Length || prompt[i] != query[j]) return -1;
            (i, j) = (i + 1, j + 1);
        }
    }

    private static int Cut(ReadOnlySpan<char> prompt, ReadOnlySpan<char> query)
    {
        var head = query[..Math.Min(Least, query.Length)];
        if (head.Length < Least) return -1;
        for (var at = prompt.IndexOf(head); at >= 0;)
        {
            if (query.StartsWith(prompt[at..])) return prompt.Length - at;
            var next = prompt[(at + 1)..].IndexOf(head);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return -1;
    }
}
