using Deliberate.Distillation.Reviews;
using Deliberate.Server.Dashboard.Files;

namespace Deliberate.Server.Dashboard.Samples;

/// <summary>What became of a sample.</summary>
public enum SampleFate
{
    /// <summary>Not judged yet.</summary>
    Unjudged,

    /// <summary>Judged; selection has not come to it.</summary>
    Judged,

    /// <summary>A training example was made of it.</summary>
    Kept,

    /// <summary>Malformed: cut, without answer or thought.</summary>
    Format,

    /// <summary>The judge gave no score.</summary>
    Unscored,

    /// <summary>The judge's score is too low.</summary>
    LowScore,

    /// <summary>The specification shows in it.</summary>
    Leak,

    /// <summary>A copy of a kept sample.</summary>
    Copy,

    /// <summary>Other samples of its prompt are better, and enough of them.</summary>
    BetterOnes,

    /// <summary>Rejected for another reason.</summary>
    Other,
}

/// <summary>What the list of samples knows of one sample; its texts stay in the run's files. Immutable.</summary>
/// <param name="Id">Id of the sample.</param>
/// <param name="Prompt">Id of its prompt.</param>
/// <param name="Index">Its number among the samples of its prompt.</param>
/// <param name="Request">The user's last turn.</param>
/// <param name="Category">Category of the prompt; null: none.</param>
internal sealed record SampleEntry(string Id, string Prompt, int Index, string Request, string? Category)
{
    /// <summary>What the answer does; null when unknown.</summary>
    public string? Action { get; init; }

    /// <summary>The lowest score of the judge's runs; null when there is none.</summary>
    public double? Score { get; init; }

    /// <summary>Runs of the judge.</summary>
    public int JudgeRuns { get; init; }

    public SampleFate Fate { get; init; }

    /// <summary>Clause codes that the thought cites.</summary>
    public IReadOnlyList<string> Cited { get; init; } = [];

    /// <summary>The last review; null when there is none. Its texts are those of the reviewer.</summary>
    public SampleReview? Review { get; init; }

    /// <summary>Where the sample stands: a line of one of three layouts.</summary>
    public LineSpan? Source { get; init; }

    /// <summary>Where its verdicts stand.</summary>
    public IReadOnlyList<LineSpan> Verdicts { get; init; } = [];

    /// <summary>Where its training example stands.</summary>
    public LineSpan? Example { get; init; }

    /// <summary>Where it stands among the rejected.</summary>
    public LineSpan? Rejection { get; init; }
}
