namespace Deliberate.Distillation.Reviews;

/// <summary>What a person decided about a sample.</summary>
public enum ReviewDecision
{
    /// <summary>It may be trained on.</summary>
    Approve,

    /// <summary>It may not be trained on.</summary>
    Reject,

    /// <summary>It may be trained on as the reviewer wrote it anew.</summary>
    Edit,
}

/// <summary>A person's decision about one sample. The sample itself stays as it is; the last decision about it counts.</summary>
/// <param name="Sample">Id of the sample.</param>
/// <param name="Decision">What was decided.</param>
/// <param name="By">Who decided.</param>
/// <param name="At">When.</param>
/// <param name="Answer">For an edit: the new answer.</param>
/// <param name="Thinking">For an edit: the new thought; null leaves the thought as it is.</param>
/// <param name="Note">Why, in the reviewer's words, or null.</param>
public sealed record SampleReview(string Sample, ReviewDecision Decision, string By, DateTimeOffset At, string? Answer = null, string? Thinking = null, string? Note = null);
