using Deliberate.Prompts;

namespace Deliberate.Server.Rewards;

/// <summary>How a reward server works. Immutable; values out of range are refused when the server is set up.</summary>
public sealed record RewardOptions
{
    /// <summary>Id or title of the category that an item is judged by when its request names none; null: by the summaries of all categories, or by what <see cref="Labeller"/> says.</summary>
    public string? DefaultCategory { get; init; }

    /// <summary>Says which category a conversation belongs to when neither its request nor <see cref="DefaultCategory"/> does; null leaves it without.</summary>
    public CategoryLabeller? Labeller { get; init; }

    /// <summary>Whether a completion without a thought is malformed and earns 0. Off, because trainers also send models that do not think.</summary>
    public bool RequireThinking { get; init; }

    /// <summary>
    /// Whether the trained model's chat template opens the thought in the prompt, so that a completion without any mark is an unfinished thought. It matters
    /// for verl and TRL, which send the completion without its rendered prompt; OpenRLHF's prompts and NeMo Gym's items show it themselves.
    /// </summary>
    public bool ThinkingOpened { get; init; }

    /// <summary>Most items that go to the judge in one call.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>How long an item may wait for others while the judge is already at work. An item that finds the judge idle never waits.</summary>
    public TimeSpan BatchWindow { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>Most calls to the judge at a time; further items wait and fill up the next calls.</summary>
    public int MaxBatches { get; init; } = 64;

    /// <summary>Most items that wait for the judge; further ones are unscored at once.</summary>
    public int QueueLimit { get; init; } = 16_384;

    /// <summary>
    /// How long an item may take, waiting included, before it is unscored. Less than the patience of the clients: OpenRLHF's is 180 s. The judge is left to
    /// finish (for five times as long), so that another try finds the verdict.
    /// </summary>
    public TimeSpan ItemTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How many rewards are kept for the same conversation and answer; 0 keeps none. About 0.3 kB each.</summary>
    public int CacheCapacity { get; init; } = 100_000;

    /// <summary>Longest request in bytes; longer ones get status 413.</summary>
    public long MaxBodyBytes { get; init; } = 8L << 20;

    /// <summary>Most items in one request.</summary>
    public int MaxItems { get; init; } = 1024;

    /// <summary>The most tokens of a specification, as <see cref="Policies.Policy.Spec"/> takes it.</summary>
    public int SpecTokenBudget { get; init; } = 4096;

    /// <summary>Counts the tokens of a specification; by default one for every four characters.</summary>
    public Func<string, int>? CountTokens { get; init; }

    /// <summary>Whether replies carry the judge's reasons, which quote answers. Metrics and traces never do.</summary>
    public bool ShowReasons { get; init; }

    internal RewardOptions Checked()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(BatchWindow, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBatches, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(QueueLimit, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ItemTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegative(CacheCapacity);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBodyBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxItems, 1);
        return this;
    }
}
