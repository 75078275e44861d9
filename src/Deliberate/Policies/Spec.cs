namespace Deliberate.Policies;

/// <summary>The part of a policy that is put in a model's context for one category.</summary>
/// <param name="Text">The text shown to the model.</param>
/// <param name="Category">The category given in full, or null when only the summaries are.</param>
/// <param name="PolicyHash">Hash of the whole policy it was taken from.</param>
public sealed record Spec(string Text, string? Category, string PolicyHash);
