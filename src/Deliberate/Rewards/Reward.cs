using Deliberate.Judging;

namespace Deliberate.Rewards;

/// <summary>The reward of one completion.</summary>
/// <param name="Id">Id of the item.</param>
/// <param name="Value">From 0 to 1; null when the judge gave no score: the sample is to be masked, not punished.</param>
/// <param name="Judgement">What the judge found; null for a malformed completion, which is not judged.</param>
/// <param name="FormatReason">Why the completion is malformed and its reward 0, or null.</param>
public sealed record Reward(string Id, double? Value, Judgement? Judgement, string? FormatReason = null);
