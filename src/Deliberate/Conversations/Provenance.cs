namespace Deliberate.Conversations;

/// <summary>Where a completion comes from: all that is needed to know whether it is stale, and to make it again.</summary>
/// <param name="PolicyHash">Hash of the policy in its prompt, or null when none was.</param>
/// <param name="Category">The category whose clauses were in its prompt, or null.</param>
/// <param name="Model">Name or fingerprint of the model.</param>
/// <param name="TemplateVersion">Version of the prompt's format, or null when the conversation was sent as it is.</param>
/// <param name="Temperature">Sampling temperature.</param>
/// <param name="Seed">Seed of this one call.</param>
/// <param name="SampleIndex">Number of the sample among those of its prompt, from 0.</param>
public sealed record Provenance(
    string? PolicyHash, string? Category, string Model, string? TemplateVersion, double Temperature, int Seed, int SampleIndex);
