using Deliberate.Generation;
using Deliberate.Policies;

namespace Deliberate.Distillation.Exports;

/// <summary>How training examples are exported.</summary>
public sealed record ExportOptions
{
    /// <summary>
    /// The specification that an example was written under; null when it is not at hand. Where it is, prompts are checked once more for its words, and formats with a teacher can
    /// show it to that teacher.
    /// </summary>
    public Func<TrainingExample, Spec>? SpecOf { get; init; }

    /// <summary>
    /// Whether thoughts stand in the answer between <c>&lt;think&gt;</c> and <c>&lt;/think&gt;</c> where the format would have a field for them: for models whose chat template knows no such field.
    /// </summary>
    public bool ThinkTags { get; init; }

    /// <summary>Name of the data set, where a format has room for one.</summary>
    public string Name { get; init; } = "deliberate";

    /// <summary>Name of the split, where a format has room for one.</summary>
    public string Split { get; init; } = "train";

    /// <summary>Finds the specification in prompts.</summary>
    public SpecLeak Leak { get; init; } = new();
}

/// <summary>What an export wrote.</summary>
/// <param name="Files">The files, the data first.</param>
/// <param name="Rows">Rows in the data.</param>
/// <param name="LeftOut">Examples that the format cannot hold, by the reason.</param>
public sealed record ExportResult(IReadOnlyList<string> Files, int Rows, IReadOnlyDictionary<string, int> LeftOut);
