using Deliberate.Generation;

namespace Deliberate.Distillation;

/// <summary>What distillation made of all samples: each is either kept or rejected with its reason.</summary>
/// <param name="Kept">The training examples, in the order of the samples.</param>
/// <param name="Rejected">The other samples, in order.</param>
/// <param name="Survival">How many survived, by category and action, in alphabetical order. A sieve silently drops what is hard: here it shows.</param>
public sealed record DistillationResult(IReadOnlyList<TrainingExample> Kept, IReadOnlyList<RejectedSample> Rejected, IReadOnlyList<Survival> Survival);

/// <summary>A sample that is not trained on.</summary>
/// <param name="Sample">The sample.</param>
/// <param name="Reason">Why.</param>
/// <param name="Action">The action taken or demanded, or null when it is unknown.</param>
public sealed record RejectedSample(Sample Sample, string Reason, string? Action = null);

/// <summary>How many samples of one category and action survived.</summary>
/// <param name="Category">The category, or "none".</param>
/// <param name="Action">The action, or "unknown".</param>
/// <param name="Kept">Samples kept.</param>
/// <param name="Total">Samples in all.</param>
public sealed record Survival(string Category, string Action, int Kept, int Total);
