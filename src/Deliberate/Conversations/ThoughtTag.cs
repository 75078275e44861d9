namespace Deliberate.Conversations;

/// <summary>The marks between which a model writes its thought. Readers find them in any case of letters. Thread-safe.</summary>
/// <param name="Open">Begins a thought.</param>
/// <param name="Close">Ends it.</param>
public readonly record struct ThoughtTag(string Open, string Close)
{
    /// <summary>The tag that most models use, and that models without one are told to use.</summary>
    public static ThoughtTag Think { get; } = new("<think>", ThoughtMarks.Close);

    /// <summary>Every tag that is known to open and close thoughts, the most common one first.</summary>
    public static IReadOnlyList<ThoughtTag> Known { get; } =
    [
        Think, new("<thinking>", "</thinking>"), new("<thought>", "</thought>"), new("<reasoning>", "</reasoning>"), new("[THINK]", "[/THINK]"),
        // Seed-OSS; Command; OpenThinker and Sky-T1; Gemma 4.
        new("<seed:think>", "</seed:think>"), new("<|START_THINKING|>", "<|END_THINKING|>"), new("<|begin_of_thought|>", "<|end_of_thought|>"), new("<|channel>thought", "<channel|>"),
    ];

    /// <summary>The tag that a chat template writes thoughts with, or null where it names none.</summary>
    /// <param name="template">The template's text.</param>
    public static ThoughtTag? OfTemplate(string template)
    {
        ArgumentNullException.ThrowIfNull(template);
        foreach (var tag in Known)
            if (template.Contains(tag.Close, StringComparison.Ordinal)) return tag;
        foreach (var tag in Known)
            if (template.Contains(tag.Open, StringComparison.Ordinal)) return tag;
        return null;
    }
}
