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

        void Split(int low, int high, int depth, SharedPrefix? parent)
        {
            var (first, last) = (requests[order[low]].Prompt, requests[order[high - 1]].Prompt);
            if (first.AsSpan().SequenceEqual(last))
            {
                groups.Add(new(parent, order[low..high]));
                return;
            }

            var common = depth;
            while (common < first.Length && common < last.Length && first[common] == last[common]) common++;
            // The last token of a prompt is always the request's own: its logits are wanted.
            common = Math.Min(common, first.Length - 1);
            if (common - (parent?.End ?? 0) >= MinimumTokens && high - low >= MinimumPrompts)
            {
                parent = new(parent, first[(parent?.End ?? 0)..common]);
                prefixes.Add(parent);
            }

            // Children: ranges with the same token at this depth (a prompt that ends here stands alone).
            for (var at = low; at < high;)
            {
                var end = at + 1;
                while (end < high && Same(requests[order[at]].Prompt, requests[order[end]].Prompt, common)) end++;
                if (end - at == high - low)
                {
                    // Cannot be cut further by this token: look one deeper.
                    Split(at, end, common + 1, parent);
                    return;
                }

                Split(at, end, common, parent);
                at = end;
            }
        }

        static bool Same(int[] a, int[] b, int index) =>
            a.Length == b.Length && index >= a.Length ? a.AsSpan().SequenceEqual(b) : index < a.Length && index < b.Length && a[index] == b[index];
    }
}
