using Deliberate.Generation;
using Deliberate.Judging;
using Deliberate.Policies;

namespace Deliberate.Distillation;

/// <summary>A sample with all that its selection depends on.</summary>
/// <param name="Sample">The sample.</param>
/// <param name="Spec">The specification it was written under.</param>
/// <param name="Judgement">What the judge found, or null when it was not asked.</param>
/// <param name="FormatReason">Why the format filter rejected it, or null.</param>
/// <param name="Action">The action taken or demanded ("comply", "refuse", "safe-complete"), for the count of survivors; null when unknown.</param>
public sealed record JudgedSample(Sample Sample, Spec Spec, Judgement? Judgement, string? FormatReason = null, string? Action = null);
