namespace Deliberate.Inference.Generation;

/// <summary>The keys and values of a text that is in work or was a short while ago, for prompts that begin alike.</summary>
internal sealed class CachedRun(int[] tokens, KeyValues run, CachedRun? parent)
{
    /// <summary>The text from its first token on, as far as it is known; positions may not all be computed.</summary>
    public int[] Tokens { get; set; } = tokens;

    public KeyValues Run => run;

    /// <summary>Whose run this one's continues.</summary>
    public CachedRun? Parent => parent;

    /// <summary>How many of its tokens were a prompt when it was opened.</summary>
    public int PromptLength { get; } = tokens.Length;

    /// <summary>Runs that continue this one.</summary>
    public int Users { get; set; }

    /// <summary>Whether its sequence is still in work.</summary>
    public bool Working { get; set; } = true;

    public long LastUse { get; set; }
}

/// <summary>
/// The runs of a worker's open requests, in work and lately finished. A new prompt continues the run that has most of its tokens, from the position on where
/// the two texts part: no key or value is computed twice or copied. What is computed is exactly what it would be alone, since keys and values depend on the
/// tokens before them only.
/// </summary>
/// <remarks>Not thread-safe. The worker's own, since runs of one worker are never written while another sequence of it reads them.</remarks>
/// <param name="share">Whether anything is shared.</param>
/// <param name="limit">Most positions to keep.</param>
/// <param name="promptsOnly">Whether a prompt's last token and what was generated after it are not shared: where prompts are multiplied by other means, they would come out otherwise in a prompt.</param>
internal sealed class PrefixCache(bool share, int limit, bool promptsOnly = false)
{
    // Below this, another piece to attend over costs more than it saves.
    private const int MinimumTokens = 12;

    private readonly List<CachedRun> _runs = [];
    private long _clock;

    /// <summary>
    /// The run that has most of a prompt computed and how many tokens that are; all but the last token, whose logits are wanted, may be shared.
    /// Soon: whether a sequence in work is about to compute more of them.
    /// </summary>
    public (CachedRun? Run, int Length, bool Soon) Find(int[] prompt)
    {
        if (!share) return (null, 0, false);
        CachedRun? best = null;
        var (length, soon) = (MinimumTokens - 1, 0);
        foreach (var run in _runs)
        {
            var common = Math.Min(run.Tokens.AsSpan().CommonPrefixLength(prompt), prompt.Length - 1);
            if (promptsOnly) common = Math.Min(common, run.PromptLength - 1);
            var computed = Math.Min(common, run.Run.End);
            if (computed > length) (best, length) = (run, computed);
            if (run.Working) soon = Math.Max(soon, common);
        }

        return (best, best is null ? 0 : length, soon > length);
    }

    /// <summary>Opens a run for a prompt after the first <paramref name="length"/> tokens of another one's.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="parent">What <see cref="Find"/> found.</param>
    /// <param name="length">How many of its tokens.</param>
    /// <param name="rent">Gives a run with this parent and first position.</param>
    public CachedRun Open(int[] prompt, CachedRun? parent, int length, Func<KeyValues?, int, KeyValues> rent)
    {
        // Straight to the run that holds the last of the shared tokens.
        while (parent is not null && length <= parent.Run.Start) parent = parent.Parent;
        for (var used = parent; used is not null; used = used.Parent) used.LastUse = ++_clock;
        if (parent is not null) parent.Users++;
        var opened = new CachedRun(prompt, rent(parent?.Run, length), parent);
        _runs.Add(opened);
        return opened;
    }

    /// <summary>A sequence has ended; its run stays as long as there is room for it.</summary>
    /// <param name="run">Its run.</param>
    /// <param name="tokens">Its text: the prompt and what was generated.</param>
    /// <param name="free">Takes runs that nobody needs any more.</param>
    public void Close(CachedRun run, int[] tokens, Action<KeyValues> free)
    {
        (run.Working, run.Tokens, run.LastUse) = (false, tokens, ++_clock);
        if (run.Users == 0 && (!share || run.Run.Count < MinimumTokens)) Remove(run, free);
        while (_runs.Where(kept => !kept.Working).Sum(kept => kept.Run.Room) > limit && _runs.Where(kept => !kept.Working && kept.Users == 0).MinBy(kept => kept.LastUse) is { } oldest)
            Remove(oldest, free);
    }

    /// <summary>Forgets everything; nothing may be in work.</summary>
    /// <param name="free">Takes the runs, where their memory may be used again.</param>
    public void Clear(Action<KeyValues>? free = null)
    {
        if (free is not null)
            foreach (var run in _runs) free(run.Run);
        _runs.Clear();
    }

    private void Remove(CachedRun run, Action<KeyValues> free)
    {
        _runs.Remove(run);
        if (run.Parent is not null) run.Parent.Users--;
        free(run.Run);
    }
}
