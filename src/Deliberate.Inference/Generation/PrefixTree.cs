namespace Deliberate.Inference.Generation;

/// <summary>Tokens that several prompts share, after those of the parent.</summary>
/// <param name="Parent">What comes before, or null.</param>
/// <param name="Tokens">The shared tokens.</param>
internal sealed record SharedPrefix(SharedPrefix? Parent, int[] Tokens)
{
    public int End => (Parent?.End ?? 0) + Tokens.Length;

    public int Depth => Parent is null ? 0 : Parent.Depth + 1;

    /// <summary>Its keys and values, once computed.</summary>
    public KeyValues? Run { get; set; }
}

/// <summary>Requests with one and the same prompt, and the longest shared prefix of it.</summary>
internal sealed record PromptGroup(SharedPrefix? Prefix, int[] Requests);

/// <summary>Finds which prompts begin alike, so that common beginnings are computed once.</summary>
internal static class PrefixTree
{
    private const int MinimumTokens = 12, MinimumPrompts = 3;

    /// <summary>Shared prefixes, parents first, and the groups of equal prompts in sorted order.</summary>
    /// <param name="requests">The requests.</param>
    /// <param name="share">Whether to look for common beginnings at all.</param>
    public static (List<SharedPrefix> Prefixes, List<PromptGroup> Groups) Build(IReadOnlyList<GenerationRequest> requests, bool share)
    {
        var order = Enumerable.Range(0, requests.Count).ToArray();
        var (prefixes, groups) = (new List<SharedPrefix>(), new List<PromptGroup>());
        if (!share)
        {
            groups.AddRange(order.Select(i => new PromptGroup(null, [i])));
            return (prefixes, groups);
        }

        Array.Sort(order, (a, b) =>
        {
            var compared = requests[a].Prompt.AsSpan().SequenceCompareTo(requests[b].Prompt);
            return compared != 0 ? compared : a.CompareTo(b);
        });
        Split(0, order.Length, 0, null);
        return (prefixes, groups);

        // All prompts of the range agree in their first `depth` tokens.
        void Split(int low, int high, int depth, SharedPrefix? parent)
        {
            while (low < high)
            {
                var (first, last) = (Prompt(low), Prompt(high - 1));
                var common = depth;
                while (common < first.Length && common < last.Length && first[common] == last[common]) common++;
                if (common == first.Length && common == last.Length)
                {
                    groups.Add(new(parent, order[low..high]));
                    return;
                }

                // The last token of a prompt is always the request's own: its logits are wanted.
                var shared = Math.Min(common, first.Length - 1);
                var begin = parent?.End ?? 0;
                if (shared - begin >= MinimumTokens && high - low >= MinimumPrompts)
                {
                    parent = new(parent, first[begin..shared]);
                    prefixes.Add(parent);
                }

                if (common == first.Length)
                {
                    // The shortest prompt is the beginning of all the others: it stands alone, and they go on.
                    var end = low;
                    while (Prompt(end).Length == common) end++;
                    groups.Add(new(parent, order[low..end]));
                    (low, depth) = (end, common);
                    continue;
                }

                // Ranges with the same next token; there are at least two of them.
                for (var at = low; at < high;)
                {
                    var end = at + 1;
                    while (end < high && Prompt(end)[common] == Prompt(at)[common]) end++;
                    Split(at, end, common, parent);
                    at = end;
                }

                return;
            }
        }

        int[] Prompt(int index) => requests[order[index]].Prompt;
    }
}
