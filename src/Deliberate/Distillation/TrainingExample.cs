using Deliberate.Conversations;

namespace Deliberate.Distillation;

/// <summary>
/// What a model is fine-tuned on: a conversation without any policy, and the thought and answer that were written with the policy in
/// view. Only the distiller makes one, after its checks, so that no specification reaches a training prompt. Immutable.
/// </summary>
public sealed record TrainingExample
{
    /// <summary>The tag of a prompt that names the data set it comes from.</summary>
    public const string SourceTag = "source";

    /// <summary>The tag of a prompt that names the licence of that data set.</summary>
    public const string LicenceTag = "licence";

    internal TrainingExample(string id, Conversation conversation, string thinking, string answer, Provenance provenance) =>
        (Id, Conversation, Thinking, Answer, Provenance) = (id, conversation, thinking, answer, provenance);

    /// <summary>Id of the sample it was made from.</summary>
    public string Id { get; }

    /// <summary>The prompt: the original conversation.</summary>
    public Conversation Conversation { get; }

    /// <summary>The chain of thought to be learned; empty in an instant answer.</summary>
    public string Thinking { get; }

    /// <summary>The answer to be learned.</summary>
    public string Answer { get; }

    /// <summary>How the sample came to be.</summary>
    public Provenance Provenance { get; }

    /// <summary>The category of the prompt; null when it is benign or unknown.</summary>
    public string? Category { get; internal init; }

    /// <summary>What the answer does ("comply", "refuse", "safe-complete"), or null when that is unknown.</summary>
    public string? Action { get; internal init; }

    /// <summary>The data set that the prompt comes from, or null when it was not said.</summary>
    public string? Source { get; internal init; }

    /// <summary>The licence of that data set, or null when it was not said.</summary>
    public string? Licence { get; internal init; }

    /// <summary>The same answer without any thought: the control that shows what the thought is worth.</summary>
    public TrainingExample ToInstantAnswer() => new(Id, Conversation, "", Answer, Provenance) { Category = Category, Action = Action, Source = Source, Licence = Licence };
}
