using System.Globalization;
using System.Text.Json.Serialization;
using Deliberate.Conversations;

namespace Deliberate.Generation;

/// <summary>One of the completions drawn for a prompt.</summary>
/// <param name="Prompt">What was asked.</param>
/// <param name="Index">Number of the sample among those of its prompt, from 0.</param>
/// <param name="Completion">What the model wrote.</param>
/// <param name="Provenance">How it came to be.</param>
public sealed record Sample(Prompt Prompt, int Index, Completion Completion, Provenance Provenance)
{
    /// <summary>Names the sample: the prompt's id, '#' and the index.</summary>
    [JsonIgnore]
    public string Id => IdOf(Prompt, Index);

    internal static string IdOf(Prompt prompt, int index) => string.Create(CultureInfo.InvariantCulture, $"{prompt.Id}#{index}");
}
