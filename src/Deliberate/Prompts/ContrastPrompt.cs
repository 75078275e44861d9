using System.Text.Json.Serialization;
using Deliberate.Conversations;

namespace Deliberate.Prompts;

/// <summary>What a contrast prompt is to the harmful prompt that it was made from.</summary>
public enum ContrastKind
{
    /// <summary>Worded much the same, with nothing harmful in it.</summary>
    BenignTwin,

    /// <summary>Asks to translate a text on the subject that the user supplies.</summary>
    Translate,

    /// <summary>Asks to summarise a text on the subject that the user supplies.</summary>
    Summarise,
}

/// <summary>A contrast prompt, or why there is none.</summary>
/// <param name="Prompt">
/// The prompt, of one user turn; null when the model's reply was no use. It has no category; its tags "contrast" and "from" say what it is and
/// which prompt it was made from.
/// </param>
/// <param name="Source">The id of the prompt that it was made from. It belongs on that one's side of a split.</param>
/// <param name="Kind">What it is to that one.</param>
/// <param name="Problem">Why there is none, or null.</param>
/// <param name="Model">The model that wrote it.</param>
/// <param name="TemplateVersion">Version of the words that the model was asked with.</param>
/// <param name="Seed">Seed of the call.</param>
public sealed record ContrastPrompt(Prompt? Prompt, string Source, ContrastKind Kind, string? Problem, string Model, string TemplateVersion, int Seed)
{
    /// <summary>"THEFT-1+benign-twin": the name of the work.</summary>
    [JsonIgnore]
    public string Id => IdOf(Source, Kind);

    /// <summary>The id of a contrast prompt.</summary>
    public static string IdOf(string source, ContrastKind kind) => $"{source}+{Name(kind)}";

    /// <summary>"benign-twin", "translate", "summarise".</summary>
    public static string Name(ContrastKind kind) => kind switch
    {
        ContrastKind.BenignTwin => "benign-twin",
        ContrastKind.Translate => "translate",
        ContrastKind.Summarise => "summarise",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such kind."),
    };
}
