using System.Text.Json.Serialization;

namespace Deliberate.Prompts;

/// <summary>The categories that a model puts a prompt into.</summary>
/// <param name="Id">The prompt's id.</param>
/// <param name="Categories">Ids of the policy's categories, in the policy's order; empty when none applies or nothing was read.</param>
/// <param name="Problem">Why the prompt has no label, or null when it has one: a prompt without a label is not one that belongs to no category.</param>
/// <param name="Model">The model that labelled.</param>
public sealed record CategoryLabels(string Id, IReadOnlyList<string> Categories, string? Problem, string Model)
{
    /// <summary>True when the model's label was read, "none" included.</summary>
    [JsonIgnore]
    public bool IsLabelled => Problem is null;
}
